import com.google.gson.Gson;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.internal.GrpcUtil;
import io.grpc.netty.shaded.io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import java.io.ByteArrayInputStream;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/**
 * Unary calls by grpc-java over Netty on one connection: {@code java-grpc [-parallel N] [-keepalive MS] [-ca FILE] PORT}.
 *
 * <p>stdin: [{"path", "body" (base64), "gzip" (bool), "timeoutMs"}]; stdout, in the same order: [{"code", "details", "response" (base64),
 * "status_details" (base64 of google.rpc.Status) or absent}].
 */
public final class GrpcCalls {
  private static final class Call {
    String path;
    String body;
    boolean gzip;
    int timeoutMs;
  }

  private static final class Answer {
    int code;
    String details = "";
    String response = "";
    String status_details;
  }

  /** The messages are bytes already. */
  private static final MethodDescriptor.Marshaller<byte[]> BYTES =
      new MethodDescriptor.Marshaller<>() {
        @Override
        public InputStream stream(byte[] value) {
          return new ByteArrayInputStream(value);
        }

        @Override
        public byte[] parse(InputStream stream) {
          try {
            return stream.readAllBytes();
          } catch (IOException failure) {
            throw new UncheckedIOException(failure);
          }
        }
      };

  private static final Metadata.Key<byte[]> DETAILS = Metadata.Key.of("grpc-status-details-bin", Metadata.BINARY_BYTE_MARSHALLER);

  public static void main(String[] args) throws Exception {
    int parallel = Integer.MAX_VALUE;
    long keepaliveMs = 0;
    String authority = null;
    int at = 0;
    for (; at < args.length && args[at].startsWith("-"); at += 2) {
      switch (args[at]) {
        case "-version" -> {
          System.out.println(GrpcUtil.getGrpcBuildVersion().getImplementationVersion());
          return;
        }
        case "-parallel" -> parallel = Integer.parseInt(args[at + 1]);
        case "-keepalive" -> keepaliveMs = Long.parseLong(args[at + 1]);
        case "-ca" -> authority = args[at + 1];
        default -> throw new IllegalArgumentException(args[at]);
      }
    }
    Call[] calls = new Gson().fromJson(new InputStreamReader(System.in, StandardCharsets.UTF_8), Call[].class);
    ManagedChannel channel = open(Integer.parseInt(args[at]), authority, keepaliveMs);
    Answer[] answers = new Answer[calls.length];
    CountDownLatch left = new CountDownLatch(calls.length);
    Semaphore turns = new Semaphore(parallel);
    for (int i = 0; i < calls.length; i++) {
      turns.acquire();
      int index = i;
      start(
          channel,
          calls[i],
          answer -> {
            answers[index] = answer;
            turns.release();
            left.countDown();
          });
    }
    left.await();
    channel.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
    // Not println: its charset is that of the locale.
    System.out.write((new Gson().toJson(answers) + "\n").getBytes(StandardCharsets.UTF_8));
    System.out.flush();
    System.exit(0);
  }

  private static ManagedChannel open(int port, String authority, long keepaliveMs) throws IOException {
    NettyChannelBuilder builder = NettyChannelBuilder.forAddress("127.0.0.1", port).maxInboundMessageSize(Integer.MAX_VALUE);
    if (authority == null) builder.usePlaintext();
    else builder.overrideAuthority("localhost").sslContext(GrpcSslContexts.forClient().trustManager(new File(authority)).build());
    if (keepaliveMs > 0) builder.keepAliveTime(keepaliveMs, TimeUnit.MILLISECONDS);
    return builder.build();
  }

  private interface Done {
    void with(Answer answer);
  }

  private static void start(ManagedChannel channel, Call one, Done done) {
    MethodDescriptor<byte[], byte[]> method =
        MethodDescriptor.newBuilder(BYTES, BYTES)
            .setType(MethodDescriptor.MethodType.UNARY)
            .setFullMethodName(one.path.substring(1))
            .build();
    CallOptions options = CallOptions.DEFAULT.withDeadlineAfter(one.timeoutMs > 0 ? one.timeoutMs : 60_000, TimeUnit.MILLISECONDS);
    if (one.gzip) options = options.withCompression("gzip");
    ClientCall<byte[], byte[]> call = channel.newCall(method, options);
    Answer answer = new Answer();
    call.start(
        new ClientCall.Listener<>() {
          @Override
          public void onMessage(byte[] message) {
            answer.response = Base64.getEncoder().encodeToString(message);
          }

          @Override
          public void onClose(Status status, Metadata trailers) {
            answer.code = status.getCode().value();
            if (status.getDescription() != null) answer.details = status.getDescription();
            byte[] details = trailers.get(DETAILS);
            if (details != null) answer.status_details = Base64.getEncoder().encodeToString(details);
            done.with(answer);
          }
        },
        new Metadata());
    // One message is all that an answer may have; a second one asked for makes a missing end an error.
    call.request(2);
    if (one.gzip) call.setMessageCompression(true);
    call.sendMessage(Base64.getDecoder().decode(one.body));
    call.halfClose();
  }
}
