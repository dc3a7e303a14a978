package io.github.hinny.bench.netty;

import io.github.hinny.bench.Message;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.DefaultHttpHeadersFactory;
import io.netty.handler.codec.http.DefaultHttpRequest;
import io.netty.handler.codec.http.EmptyHttpHeaders;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpHeadersFactory;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.AsciiString;
import io.netty.util.ReferenceCountUtil;
import java.nio.charset.StandardCharsets;

/**
 * Answers the requests of one connection, and flushes when a read is done.
 *
 * <p>The JSON text is serialised for each request; nothing of an answer but constants and the date outlives it.
 */
final class AnswerHandler extends ChannelInboundHandlerAdapter {
    private static final byte[] PLAINTEXT = "Hello, World!".getBytes(StandardCharsets.US_ASCII);
    private static final AsciiString PLAINTEXT_LENGTH = AsciiString.cached(Integer.toString(PLAINTEXT.length));
    private static final AsciiString JSON_LENGTH = AsciiString.cached(Integer.toString(greeting().length));
    private static final AsciiString SERVER = AsciiString.cached("Netty");
    private static final HttpHeadersFactory HEADERS =
            DefaultHttpHeadersFactory.headersFactory().withValidation(false);

    private final Connections connections;

    AnswerHandler(Connections connections) {
        this.connections = connections;
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        if (message == LastHttpContent.EMPTY_LAST_CONTENT) {
            return;
        }
        if (message.getClass() == DefaultHttpRequest.class) {
            answer(context, ((DefaultHttpRequest) message).uri());
            return;
        }
        try {
            if (message instanceof HttpRequest) {
                answer(context, ((HttpRequest) message).uri());
            }
        } finally {
            ReferenceCountUtil.release(message);
        }
    }

    private void answer(ChannelHandlerContext context, String path) {
        HttpHeaders headers =
                HEADERS.newHeaders().set(HttpHeaderNames.SERVER, SERVER).set(HttpHeaderNames.DATE, connections.date());
        HttpResponseStatus status = HttpResponseStatus.OK;
        ByteBuf body;
        switch (path) {
            case "/plaintext" -> {
                headers.set(HttpHeaderNames.CONTENT_TYPE, HttpHeaderValues.TEXT_PLAIN);
                headers.set(HttpHeaderNames.CONTENT_LENGTH, PLAINTEXT_LENGTH);
                body = Unpooled.wrappedBuffer(PLAINTEXT);
            }
            case "/json" -> {
                headers.set(HttpHeaderNames.CONTENT_TYPE, HttpHeaderValues.APPLICATION_JSON);
                headers.set(HttpHeaderNames.CONTENT_LENGTH, JSON_LENGTH);
                body = Unpooled.wrappedBuffer(greeting());
            }
            default -> {
                status = HttpResponseStatus.NOT_FOUND;
                headers.set(HttpHeaderNames.CONTENT_LENGTH, HttpHeaderValues.ZERO);
                body = Unpooled.EMPTY_BUFFER;
            }
        }
        context.write(
                new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, status, body, headers, EmptyHttpHeaders.INSTANCE),
                context.voidPromise());
    }

    private static byte[] greeting() {
        return new Message("Hello, World!").toJson();
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext context) {
        context.flush();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        context.close();
    }
}
