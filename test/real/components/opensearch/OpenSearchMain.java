import java.util.concurrent.CountDownLatch;
import org.codelibs.opensearch.runner.OpenSearchRunner;
import org.opensearch.Version;

/**
 * One OpenSearch node on 127.0.0.1: {@code opensearch HTTP_PORT TRANSPORT_PORT DATA_FOLDER}, or {@code opensearch --version}.
 * Prints "ready" when it answers, and ends on SIGTERM.
 */
public final class OpenSearchMain {
  public static void main(String[] args) throws Exception {
    if (args.length == 1 && args[0].equals("--version")) {
      System.out.println(Version.CURRENT);
      return;
    }
    if (args.length != 3) {
      System.err.println("usage: opensearch HTTP_PORT TRANSPORT_PORT DATA_FOLDER");
      System.exit(2);
    }
    OpenSearchRunner runner = new OpenSearchRunner();
    runner
        .onBuild(
            (number, settings) -> {
              settings.put("network.host", "127.0.0.1");
              settings.put("http.port", args[0]);
              settings.put("transport.port", args[1]);
              settings.put("discovery.type", "single-node");
            })
        .build(OpenSearchRunner.newConfigs().clusterName("otlp-stack-real").numOfNode(1).basePath(args[2]).disableESLogger());
    runner.ensureYellow();
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  try {
                    runner.close();
                  } catch (Exception failure) {
                    failure.printStackTrace();
                  }
                }));
    System.out.println("ready");
    new CountDownLatch(1).await();
  }
}
