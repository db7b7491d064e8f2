"""Unary calls by grpcio, all at the same time on one channel.

argv: port; stdin: [{"path", "body" (base64), "gzip" (bool)}]; stdout, in the same order: [{"code", "details", "response", "status_details"}].
"""
import base64
import json
import sys

import grpc

port = sys.argv[1]
calls = json.load(sys.stdin)
options = [("grpc.max_send_message_length", -1), ("grpc.enable_retries", 0)]
with grpc.insecure_channel("127.0.0.1:" + port, options=options) as channel:
    running = []
    for one in calls:
        method = channel.unary_unary(one["path"])
        compression = grpc.Compression.Gzip if one.get("gzip") else grpc.Compression.NoCompression
        running.append(method.future(base64.b64decode(one["body"]), timeout=20, compression=compression))
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
