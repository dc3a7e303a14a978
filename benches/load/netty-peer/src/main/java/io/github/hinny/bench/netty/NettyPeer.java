package io.github.hinny.bench.netty;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.AdaptiveRecvByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.RecvByteBufAllocator;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.util.ResourceLeakDetector;
import java.net.InetAddress;
import java.net.InetSocketAddress;

/**
 * A rival of the load benches: a Netty server with the endpoints of the Hinny application.
 *
 * <p>Built as Netty's TechEmpower entry is: one group of event loops that accepts and serves, the native epoll transport,
 * the codec without its aggregator and without validation of headers, answers flushed once a read. Its one acceptor
 * hands connections to the loops in turn.
 *
 * <p>Usage: {@code netty-peer LOOPS PORT}; port 0 is a free one.
 */
public final class NettyPeer {
    /** Connections that wait to be accepted; as many as for the hyper server. */
    private static final int BACKLOG = 4096;

    private NettyPeer() {}

    /** Serves on 127.0.0.1 until the process ends. */
    public static void main(String[] arguments) throws InterruptedException {
        int loops = Integer.parseInt(arguments[0]);
        int port = Integer.parseInt(arguments[1]);
        ResourceLeakDetector.setLevel(ResourceLeakDetector.Level.DISABLED);
        EventLoopGroup group = new MultiThreadIoEventLoopGroup(loops, EpollIoHandler.newFactory());
        RecvByteBufAllocator reads = new AdaptiveRecvByteBufAllocator().maxMessagesPerRead(Integer.MAX_VALUE);
        try {
            Channel channel = new ServerBootstrap()
                    .group(group)
                    .channel(EpollServerSocketChannel.class)
                    .option(ChannelOption.SO_BACKLOG, BACKLOG)
                    .option(ChannelOption.SO_REUSEADDR, true)
                    .childOption(ChannelOption.ALLOCATOR, new PooledByteBufAllocator(true))
                    .childOption(ChannelOption.RECVBUF_ALLOCATOR, reads)
                    .childHandler(new Connections(group.next()))
                    .bind(InetAddress.getLoopbackAddress(), port)
                    .sync()
                    .channel();
            System.out.println("listening on 127.0.0.1:" + ((InetSocketAddress) channel.localAddress()).getPort());
            channel.closeFuture().sync();
        } finally {
            group.shutdownGracefully().sync();
        }
    }
}
