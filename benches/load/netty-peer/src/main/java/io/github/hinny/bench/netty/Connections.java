package io.github.hinny.bench.netty;

import io.netty.channel.ChannelInitializer;
import io.netty.channel.socket.SocketChannel;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.DefaultHttpRequest;
import io.netty.handler.codec.http.HttpDecoderConfig;
import io.netty.handler.codec.http.HttpMessage;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequestDecoder;
import io.netty.handler.codec.http.HttpResponseEncoder;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.util.AsciiString;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/** Gives each connection its codec and handler, and keeps the date that all answers carry. */
final class Connections extends ChannelInitializer<SocketChannel> {
    private volatile AsciiString date = now();

    /** The date is made anew each second by {@code clock}. */
    Connections(ScheduledExecutorService clock) {
        clock.scheduleAtFixedRate(() -> date = now(), 1, 1, TimeUnit.SECONDS);
    }

    AsciiString date() {
        return date;
    }

    private static AsciiString now() {
        return new AsciiString(DateTimeFormatter.RFC_1123_DATE_TIME.format(ZonedDateTime.now(ZoneOffset.UTC)));
    }

    @Override
    protected void initChannel(SocketChannel channel) {
        channel.pipeline().addLast(new Encoder(), new Decoder(), new AnswerHandler(this));
    }

    /** Knows the class of our answers at once. */
    private static final class Encoder extends HttpResponseEncoder {
        @Override
        public boolean acceptOutboundMessage(Object message) throws Exception {
            return message.getClass() == DefaultFullHttpResponse.class || super.acceptOutboundMessage(message);
        }
    }

    /** Makes requests whose header names and values are not validated. */
    private static final class Decoder extends HttpRequestDecoder {
        Decoder() {
            super(new HttpDecoderConfig().setValidateHeaders(false));
        }

        @Override
        protected HttpMessage createMessage(String[] line) {
            return new DefaultHttpRequest(
                    HttpVersion.valueOf(line[2]), HttpMethod.valueOf(line[0]), line[1], headersFactory);
        }

        @Override
        protected boolean isContentAlwaysEmpty(HttpMessage message) {
            return false;
        }
    }
}
