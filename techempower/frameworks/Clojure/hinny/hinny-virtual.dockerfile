# Plaintext and JSON, a virtual thread for each request. README.md says what has to be in this directory first.
FROM maven:3.9-eclipse-temurin-25 AS libraries
WORKDIR /hinny
COPY pom.xml pom.xml
COPY repository repository
RUN mvn -q -B package

FROM eclipse-temurin:25-jdk-noble
WORKDIR /hinny
COPY --from=libraries /hinny/target/lib lib
COPY src src
ENV HOST=0.0.0.0
EXPOSE 8080

CMD exec java -XX:+UseParallelGC --enable-native-access=ALL-UNNAMED -cp "src:lib/*" \
    clojure.main -m hinny-bench.app virtual "$(nproc)" 8080
