package io.github.hinny;

import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * Writes request records, as the core does: for handlers that are called without a server.
 *
 * <p>Stateless; any thread.
 */
public final class RequestWriter {
    private static final byte[] NOTHING = {};

    private RequestWriter() {}

    /**
     * What a record says besides header fields and body. Texts are Latin-1, one byte for each character.
     *
     * @param exchange id of the exchange
     * @param method as on the wire: {@code GET}
     * @param uri path of the target
     * @param queryString what follows its {@code ?}, null if there is none
     * @param serverName host without port
     * @param serverPort port
     * @param remoteAddr address of the peer
     * @param isHttp10 whether the protocol is HTTP/1.0, not HTTP/1.1
     * @param isHttps whether the connection is encrypted
     */
    public record Head(
            long exchange,
            String method,
            String uri,
            String queryString,
            String serverName,
            int serverPort,
            String remoteAddr,
            boolean isHttp10,
            boolean isHttps) {}

    /**
     * A header field.
     *
     * @param name in lower case; no two fields of a request have the same
     * @param value may be empty
     * @param isLiteral whether the name goes as text even if it has an id
     */
    public record Field(String name, String value, boolean isLiteral) {
        private int id() {
            return isLiteral ? 0 : HeaderNames.id(name);
        }

        private String text() {
            return id() == 0 ? name + value : value;
        }
    }

    /**
     * Returns the REQUEST record of a request.
     *
     * @param body the whole body, null if the message has none
     * @throws IllegalArgumentException if a part is longer than a record can say
     */
    public static byte[] write(final Head head, final List<Field> fields, final byte[] body) {
        final int methodId = methodId(head.method);
        final String method = methodId == 0 ? head.method : "";
        final String query = head.queryString == null ? "" : head.queryString;
        final byte[] content = body == null ? NOTHING : body;
        final StringBuilder text = new StringBuilder()
                .append(method)
                .append(head.uri)
                .append(query)
                .append(head.serverName)
                .append(head.remoteAddr);
        fields.forEach(field -> text.append(field.text()));
        final byte[] texts = latin1(text.toString());
        final int textStart = Records.REQUEST_HEADERS + fields.size() * Records.HEADER_ENTRY_SIZE;
        final int length = (Math.addExact(textStart + texts.length, content.length) + 7) & ~7;

        final byte[] record = new byte[length];
        Records.putU32(record, Records.REQUEST_LENGTH, length);
        record[Records.REQUEST_TYPE] = Records.REQUEST;
        record[Records.REQUEST_FLAGS] = (byte) flags(head, body);
        record[Records.REQUEST_METHOD] = (byte) methodId;
        record[Records.REQUEST_REMOTE_ADDR_LENGTH] = (byte) checked(head.remoteAddr.length(), 0xFF, "remote address");
        Records.putU64(record, Records.REQUEST_EXCHANGE, head.exchange);
        putLength(record, Records.REQUEST_METHOD_LENGTH, method.length(), "method");
        putLength(record, Records.REQUEST_HEADER_COUNT, fields.size(), "list of header fields");
        putLength(record, Records.REQUEST_URI_LENGTH, head.uri.length(), "uri");
        putLength(record, Records.REQUEST_QUERY_LENGTH, query.length(), "query string");
        putLength(record, Records.REQUEST_SERVER_NAME_LENGTH, head.serverName.length(), "server name");
        putLength(record, Records.REQUEST_SERVER_PORT, head.serverPort, "server port");
        Records.putU32(record, Records.REQUEST_BODY_LENGTH, content.length);
        int entry = Records.REQUEST_HEADERS;
        for (final Field field : fields) {
            final int id = field.id();
            Records.putU16(record, entry, id);
            putLength(record, entry + 2, id == 0 ? field.name.length() : 0, "header name");
            Records.putU32(record, entry + 4, field.value.length());
            entry += Records.HEADER_ENTRY_SIZE;
        }
        System.arraycopy(texts, 0, record, textStart, texts.length);
        System.arraycopy(content, 0, record, textStart + texts.length, content.length);
        return record;
    }

    private static int flags(final Head head, final byte[] body) {
        return (head.isHttp10 ? Records.FLAG_HTTP_10 : 0)
                | (head.isHttps ? Records.FLAG_HTTPS : 0)
                | (head.queryString == null ? 0 : Records.FLAG_QUERY)
                | (body == null ? 0 : Records.FLAG_BODY);
    }

    private static int methodId(final String method) {
        int id = HeaderNames.methodCount();
        while (id > 0 && !HeaderNames.method(id).equals(method)) {
            id--;
        }
        return id;
    }

    private static void putLength(final byte[] record, final int at, final int length, final String what) {
        Records.putU16(record, at, checked(length, 0xFFFF, what));
    }

    private static int checked(final int value, final int max, final String what) {
        if (value > max) {
            throw new IllegalArgumentException(what + ": " + value + " is more than " + max);
        }
        return value;
    }

    private static byte[] latin1(final String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }
}
