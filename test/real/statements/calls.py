"""Unary calls by grpcio on one channel, all at the same time or so many at a time.

argv: port [calls at a time] [milliseconds between keepalive pings]; stdin: [{"path", "body" (base64), "gzip" (bool), "timeoutMs"}]; stdout, in the same order: [{"code", "details", "response", "status_details"}].
"""
import base64
import json
import sys
import threading

import grpc

port = sys.argv[1]
parallel = int(sys.argv[2]) if len(sys.argv) > 2 else 1 << 20
keepalive = int(sys.argv[3]) if len(sys.argv) > 3 else 0
calls = json.load(sys.stdin)
options = [("grpc.max_send_message_length", -1)]
if keepalive:
    options += [("grpc.keepalive_time_ms", keepalive), ("grpc.http2.max_pings_without_data", 0)]
with grpc.insecure_channel("127.0.0.1:" + port, options=options) as channel:
    running = []
    turns = threading.Semaphore(parallel)
    for one in calls:
        turns.acquire()
        method = channel.unary_unary(one["path"])
        compression = grpc.Compression.Gzip if one.get("gzip") else grpc.Compression.NoCompression
        running.append(method.future(base64.b64decode(one["body"]), timeout=one.get("timeoutMs", 20000) / 1000, compression=compression))
        running[-1].add_done_callback(lambda _: turns.release())
    answers = []
    for one in running:
        try:
            response = one.result()
            answers.append({"code": 0, "details": "", "response": base64.b64encode(response).decode(), "status_details": None})
        except grpc.RpcError as error:
            found = [value for key, value in (error.trailing_metadata() or ()) if key == "grpc-status-details-bin"]
            details = base64.b64encode(found[0]).decode() if found else None
            answers.append({"code": error.code().value[0], "details": error.details(), "response": "", "status_details": details})
print(json.dumps(answers))
