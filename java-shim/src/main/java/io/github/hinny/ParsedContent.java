package io.github.hinny;

import clojure.lang.IPersistentMap;
import clojure.lang.PersistentArrayMap;
import clojure.lang.RT;

/**
 * What the core parsed of a request ({@code :parse}), as Clojure values: each is made when it is asked for.
 *
 * <p>Made by {@link RequestRecord}, whose array it reads. Any thread may use it: threads may race to make a value, and each
 * gets an equal one.
 */
final class ParsedContent {
    private static final int ALIGNMENT = 8;

    /** Stands for the value of the text {@code null}, once it is known. */
    private static final Object NULL = new Object();

    private final RequestRecord record;
    private final byte[] bytes;

    // Where in bytes each result starts, 0 if there is none.
    private final int queryAt;
    private final int formAt;
    private final int jsonAt;

    private IPersistentMap query; // Racy, as are the following: see package-info.
    private IPersistentMap form; // Racy.
    private Object json; // Racy; NULL for null.
    private IPersistentMap params; // Racy.

    /**
     * Makes it of what follows the body.
     *
     * @param end where in {@code bytes} the body ends
     */
    ParsedContent(final RequestRecord record, final byte[] bytes, final int end) {
        this.record = record;
        this.bytes = bytes;
        int at = aligned(end);
        if (Records.u16(bytes, Records.REQUEST_PARAM_COUNT) != 0) {
            at = next(at);
        }
        int queryStart = 0;
        int formStart = 0;
        int jsonStart = 0;
        final int flags = bytes[Records.REQUEST_FLAGS];
        if ((flags & Records.FLAG_QUERY_PARSED) != 0) {
            queryStart = at + Records.PARSED_HEAD_SIZE;
            at = next(at);
        }
        if ((flags & Records.FLAG_FORM_PARSED) != 0) {
            formStart = at + Records.PARSED_HEAD_SIZE;
            at = next(at);
        }
        if ((flags & Records.FLAG_JSON_PARSED) != 0) {
            jsonStart = at + Records.PARSED_HEAD_SIZE;
        }
        queryAt = queryStart;
        formAt = formStart;
        jsonAt = jsonStart;
    }

    private int next(final int at) {
        return aligned(at + Records.PARSED_HEAD_SIZE + Records.u32(bytes, at));
    }

    /** Returns where the next part of a record begins behind what ends at {@code at}. */
    static int aligned(final int at) {
        return at + ALIGNMENT - 1 & -ALIGNMENT;
    }

    /** Returns the parameters of the query string, null if they were not parsed. */
    IPersistentMap queryParams() {
        IPersistentMap made = query;
        if (made == null && queryAt != 0) {
            made = record.paramsOfQuery(queryAt);
            query = made;
        }
        return made;
    }

    /** Returns the parameters of the form that the body is, null if it is none or was not parsed. */
    IPersistentMap formParams() {
        IPersistentMap made = form;
        if (made == null && formAt != 0) {
            made = record.paramsOfForm(formAt);
            form = made;
        }
        return made;
    }

    /** Returns the value of the JSON text that the body is, null if it is none, was not parsed or is {@code null}. */
    Object jsonParams() {
        Object made = json;
        if (made == null && jsonAt != 0) {
            final int settings = Records.u32(bytes, jsonAt - Records.PARSED_HEAD_SIZE + Records.PARSED_SETTINGS);
            made = record.jsonOfBody(jsonAt, (settings & Records.PARSED_KEYWORD_KEYS) != 0);
            if (made == null) {
                made = NULL;
            }
            json = made;
        }
        return made == NULL ? null : made;
    }

    /** Returns all parameters: those of the form, of the query string, and of a JSON object; later ones win, as in Ring. */
    IPersistentMap params() {
        IPersistentMap all = params;
        if (all == null) {
            all = merged(merged(formParams(), queryParams()), jsonParams());
            params = all;
        }
        return all;
    }

    private static IPersistentMap merged(final IPersistentMap first, final Object second) {
        if (!(second instanceof IPersistentMap more) || more.count() == 0) {
            return first == null ? PersistentArrayMap.EMPTY : first;
        }
        return first == null || first.count() == 0 ? more : (IPersistentMap) RT.conj(first, more);
    }
}
