package io.github.hinny;

import static io.github.hinny.Records.FLAG_BODY;
import static io.github.hinny.Records.FLAG_BODY_STREAM;
import static io.github.hinny.Records.FLAG_FORM_PARSED;
import static io.github.hinny.Records.FLAG_HTTPS;
import static io.github.hinny.Records.FLAG_HTTP_10;
import static io.github.hinny.Records.FLAG_JSON_PARSED;
import static io.github.hinny.Records.FLAG_QUERY;
import static io.github.hinny.Records.FLAG_QUERY_PARSED;
import static io.github.hinny.Records.HEADER_ENTRY_SIZE;
import static io.github.hinny.Records.REQUEST_BODY_LENGTH;
import static io.github.hinny.Records.REQUEST_EXCHANGE;
import static io.github.hinny.Records.REQUEST_FLAGS;
import static io.github.hinny.Records.REQUEST_HEADERS;
import static io.github.hinny.Records.REQUEST_HEADER_COUNT;
import static io.github.hinny.Records.REQUEST_METHOD;
import static io.github.hinny.Records.REQUEST_METHOD_LENGTH;
import static io.github.hinny.Records.REQUEST_QUERY_LENGTH;
import static io.github.hinny.Records.REQUEST_REMOTE_ADDR_LENGTH;
import static io.github.hinny.Records.REQUEST_SERVER_NAME_LENGTH;
import static io.github.hinny.Records.REQUEST_SERVER_PORT;
import static io.github.hinny.Records.REQUEST_URI_LENGTH;

import clojure.lang.IPersistentMap;
import clojure.lang.Keyword;
import clojure.lang.PersistentArrayMap;
import clojure.lang.Symbol;
import java.io.InputStream;
import java.nio.charset.Charset;
import java.nio.charset.IllegalCharsetNameException;
import java.nio.charset.StandardCharsets;
import java.nio.charset.UnsupportedCharsetException;
import java.util.Locale;

/**
 * Decodes the parts of one request record when they are asked for.
 *
 * <p>Made by {@link RingRequest#of}, one per request, shared by all copies of the request map. Owns
 * the record's heap array for as long as any of them lives; holds no native memory.
 *
 * <p>Any thread may use it. Strings and headers are cached without a lock: threads may race to
 * decode one, and each gets an equal value. The body stream is one and the same for all, so it is
 * made at once.
 */
final class RequestRecord {
    private final byte[] bytes;

    /** What the request's route names, null without one. */
    private final Endpoint endpoint;

    // Set before any handler sees the request, and never again; the queue to another thread publishes them.
    private InputStream body; // Racy only for who hands a request on without one, and sees no body then.
    private Exchange exchange; // Racy, as the body.

    private String uri; // Racy, as are the following: see package-info.
    private String queryString; // Racy.
    private String serverName; // Racy.
    private String remoteAddr; // Racy.
    private Headers headers; // Racy.
    private ParsedContent parsed; // Racy.
    private IPersistentMap pathParams; // Racy.

    RequestRecord(final byte[] bytes, final Endpoint endpoint) {
        this.bytes = bytes;
        this.endpoint = endpoint;
        this.body = hasFlag(FLAG_BODY) ? wholeBody() : null;
    }

    /**
     * Makes the record a part of an exchange, before anybody else sees it. Returns the body if it is still arriving, else
     * null.
     */
    RequestBody attachTo(final Exchange to, final Driver driver) {
        exchange = to;
        if (!isStreamed()) {
            return null;
        }
        final RequestBody streamed =
                new RequestBody(to, driver, bytes, bodyStart(), Records.u32(bytes, REQUEST_BODY_LENGTH));
        body = streamed;
        return streamed;
    }

    /** Returns the exchange that the record is a part of, null if there is none. */
    Exchange attached() {
        return exchange;
    }

    /** Returns whether the body did not come as a whole. */
    boolean isStreamed() {
        return hasFlag(FLAG_BODY_STREAM);
    }

    long exchange() {
        return Records.u64(bytes, REQUEST_EXCHANGE);
    }

    /** Returns whether the method is HEAD. */
    boolean isHead() {
        return Records.u8(bytes, REQUEST_METHOD) == HeaderNames.HEAD;
    }

    /**
     * Returns {@code :get} and the like; a method without an id gives its lower-case text.
     *
     * @throws ContentMalformedException if too many such methods have one hash
     */
    Keyword requestMethod() {
        final int id = Records.u8(bytes, REQUEST_METHOD);
        if (id != 0) {
            return HeaderNames.methodKeyword(id);
        }
        final int length = Records.u16(bytes, REQUEST_METHOD_LENGTH);
        final String method = Records.latin1(bytes, methodStart(), length);
        final Keyword keyword = ClientKeywords.of(Symbol.intern(null, method.toLowerCase(Locale.ROOT)));
        if (keyword == null) {
            throw new ContentMalformedException("too many methods that have one hash");
        }
        return keyword;
    }

    String uri() {
        String text = uri;
        if (text == null) {
            text = Records.latin1(bytes, uriStart(), Records.u16(bytes, REQUEST_URI_LENGTH));
            uri = text;
        }
        return text;
    }

    boolean hasQueryString() {
        return hasFlag(FLAG_QUERY);
    }

    /** Returns the query string, empty for {@code /a?}, null for {@code /a}. */
    String queryString() {
        String text = queryString;
        if (text == null && hasQueryString()) {
            text = Records.latin1(bytes, queryStart(), Records.u16(bytes, REQUEST_QUERY_LENGTH));
            queryString = text;
        }
        return text;
    }

    /** Returns the parameters of the query string; see {@link Params#ofQuery}. */
    IPersistentMap queryParams(final Charset charset, final int most) {
        final int length = Records.u16(bytes, REQUEST_QUERY_LENGTH);
        return length == 0 ? PersistentArrayMap.EMPTY : Params.ofQuery(bytes, queryStart(), length, charset, most);
    }

    String serverName() {
        String text = serverName;
        if (text == null) {
            final int length = Records.u16(bytes, REQUEST_SERVER_NAME_LENGTH);
            text = Records.latin1(bytes, serverNameStart(), length);
            serverName = text;
        }
        return text;
    }

    int serverPort() {
        return Records.u16(bytes, REQUEST_SERVER_PORT);
    }

    String remoteAddr() {
        String text = remoteAddr;
        if (text == null) {
            final int length = Records.u8(bytes, REQUEST_REMOTE_ADDR_LENGTH);
            text = Records.latin1(bytes, remoteAddrStart(), length);
            remoteAddr = text;
        }
        return text;
    }

    boolean isHttps() {
        return hasFlag(FLAG_HTTPS);
    }

    String protocol() {
        return hasFlag(FLAG_HTTP_10) ? "HTTP/1.0" : "HTTP/1.1";
    }

    Headers headers() {
        Headers map = headers;
        if (map == null) {
            map = new Headers(bytes, headerTextStart());
            headers = map;
        }
        return map;
    }

    /** Returns the one stream over the body, null if the message has none. */
    InputStream body() {
        return body;
    }

    boolean hasContentType() {
        return headers().has("content-type");
    }

    String contentType() {
        return headers().value("content-type");
    }

    /**
     * Returns the Content-Length header as a number, null if it is absent or not a number of at
     * most 18 digits.
     */
    Long contentLength() {
        final String text = headers().value("content-length");
        if (text == null || text.isEmpty() || text.length() > 18) {
            return null;
        }
        long length = 0;
        for (int i = 0; i < text.length(); i++) {
            final char c = text.charAt(i);
            if (c < '0' || c > '9') {
                return null;
            }
            length = 10 * length + (c - '0');
        }
        return length;
    }

    /** Returns the charset that the Content-Type header names, or null. */
    String characterEncoding() {
        final String contentType = contentType();
        return contentType == null ? null : ContentType.charset(contentType);
    }

    /** Returns what the core parsed of the request, null if nothing. */
    ParsedContent parsed() {
        ParsedContent content = parsed;
        if (content == null && hasFlag(FLAG_QUERY_PARSED | FLAG_FORM_PARSED | FLAG_JSON_PARSED)) {
            content = new ParsedContent(this, bytes, bodyStart() + Records.u32(bytes, REQUEST_BODY_LENGTH));
            parsed = content;
        }
        return content;
    }

    /** Returns the endpoint of the request's route, null without one. */
    Endpoint endpoint() {
        return endpoint;
    }

    /** Returns the parameters of the path, null without a route. */
    IPersistentMap pathParams() {
        IPersistentMap params = pathParams;
        if (params == null && endpoint != null) {
            final int bodyEnd = bodyStart() + Records.u32(bytes, REQUEST_BODY_LENGTH);
            params = PathParams.read(endpoint.params(), bytes, ParsedContent.aligned(bodyEnd));
            pathParams = params;
        }
        return params;
    }

    /** Returns the parameters of the query string; their result is at {@code at}. */
    IPersistentMap paramsOfQuery(final int at) {
        return params(at, queryStart(), Records.u16(bytes, REQUEST_QUERY_LENGTH), StandardCharsets.UTF_8);
    }

    /** Returns the parameters of the form that the body is; their result is at {@code at}. */
    IPersistentMap paramsOfForm(final int at) {
        final String name = characterEncoding();
        final Charset charset;
        try {
            charset = name == null ? StandardCharsets.UTF_8 : Charset.forName(name);
        } catch (final IllegalCharsetNameException | UnsupportedCharsetException unknown) {
            throw new ContentMalformedException("the charset of a form is unknown");
        }
        return params(at, bodyStart(), Records.u32(bytes, REQUEST_BODY_LENGTH), charset);
    }

    /** The text itself is at {@code from}, for what the result cannot tell. */
    private IPersistentMap params(final int at, final int from, final int length, final Charset charset) {
        IPersistentMap params = Params.ofResult(bytes, at, charset);
        if (params == null) {
            params = Params.ofForm(bytes, from, length, charset, Results.PARAMS_MOST);
        }
        if (params == null) {
            throw new ContentMalformedException("too many parameters whose names have one hash");
        }
        return params;
    }

    /** Returns the value of the JSON text that the body is; its tape is at {@code at}. Objects in it are lazy. */
    Object jsonOfBody(final int at, final boolean keywords) {
        final JsonKeyDecoder keys = keywords ? JsonKeyDecoder.KEYWORDS : JsonKeyDecoder.STRINGS;
        return JsonReader.lazyValue(bytes, bodyStart(), bytes, at, keys);
    }

    private boolean hasFlag(final int flag) {
        return (bytes[REQUEST_FLAGS] & flag) != 0;
    }

    private WholeBody wholeBody() {
        return new WholeBody(bytes, bodyStart(), Records.u32(bytes, REQUEST_BODY_LENGTH));
    }

    private int bodyStart() {
        final int headerCount = Records.u16(bytes, REQUEST_HEADER_COUNT);
        int start = headerTextStart();
        for (int i = 0; i < headerCount; i++) {
            final int entry = REQUEST_HEADERS + i * HEADER_ENTRY_SIZE;
            start += Records.u16(bytes, entry + 2) + Records.u32(bytes, entry + 4);
        }
        return start;
    }

    private int methodStart() {
        return REQUEST_HEADERS + Records.u16(bytes, REQUEST_HEADER_COUNT) * HEADER_ENTRY_SIZE;
    }

    private int uriStart() {
        return methodStart() + Records.u16(bytes, REQUEST_METHOD_LENGTH);
    }

    private int queryStart() {
        return uriStart() + Records.u16(bytes, REQUEST_URI_LENGTH);
    }

    private int serverNameStart() {
        return queryStart() + Records.u16(bytes, REQUEST_QUERY_LENGTH);
    }

    private int remoteAddrStart() {
        return serverNameStart() + Records.u16(bytes, REQUEST_SERVER_NAME_LENGTH);
    }

    private int headerTextStart() {
        return remoteAddrStart() + Records.u8(bytes, REQUEST_REMOTE_ADDR_LENGTH);
    }
}
