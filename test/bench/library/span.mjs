/** A span of a web shop: eight attributes, one of them different in each. */
export function make(tracer, i) {
  tracer
    .startSpan('GET /cart/{id}', {
      kind: 1,
      attributes: {
        'bench.number': i,
        'http.request.method': 'GET',
        'http.route': '/cart/{id}',
        'http.response.status_code': 200,
        'url.path': `/cart/${i}`,
        'server.address': 'shop.example',
        'user_agent.original': 'Mozilla/5.0 (X11; Linux x86_64)',
        'network.protocol.version': '1.1',
      },
    })
    .end();
}
