// Unary calls by grpc-go on one connection.
//
//	grpc-go [-parallel N] [-keepalive DURATION] [-ca FILE] PORT
//
// stdin: [{"path", "body" (base64), "gzip" (bool), "timeoutMs"}]; stdout, in the same order:
// [{"code", "details", "response" (base64), "status_details" (base64 of google.rpc.Status) or null}].
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

type call struct {
	Path      string `json:"path"`
	Body      []byte `json:"body"`
	Gzip      bool   `json:"gzip"`
	TimeoutMs int    `json:"timeoutMs"`
}

type answer struct {
	Code          uint32 `json:"code"`
	Details       string `json:"details"`
	Response      []byte `json:"response"`
	StatusDetails []byte `json:"status_details"`
}

// The messages are bytes already.
type rawCodec struct{}

func (rawCodec) Name() string { return "proto" }

func (rawCodec) Marshal(message any) ([]byte, error) {
	bytes, ok := message.(*[]byte)
	if !ok {
		return nil, errors.New("not bytes")
	}
	return *bytes, nil
}

func (rawCodec) Unmarshal(data []byte, message any) error {
	bytes, ok := message.(*[]byte)
	if !ok {
		return errors.New("not bytes")
	}
	*bytes = append([]byte{}, data...)
	return nil
}

func main() {
	parallel := flag.Int("parallel", 1<<20, "calls at a time")
	alive := flag.Duration("keepalive", 0, "pings after so long without a word; grpc-go makes 10 s of less")
	authority := flag.String("ca", "", "TLS, with the certificates of this file; clear text without it")
	version := flag.Bool("version", false, "prints the version of grpc-go")
	flag.Parse()
	if *version {
		fmt.Println(grpc.Version)
		return
	}
	var calls []call
	if err := json.NewDecoder(os.Stdin).Decode(&calls); err != nil {
		log.Fatal(err)
	}
	channel, err := open("127.0.0.1:"+flag.Arg(0), *authority, *alive)
	if err != nil {
		log.Fatal(err)
	}
	defer channel.Close()
	answers := make([]answer, len(calls))
	turns := make(chan struct{}, *parallel)
	var running sync.WaitGroup
	for i, one := range calls {
		turns <- struct{}{}
		running.Add(1)
		go func() {
			defer running.Done()
			answers[i] = callOnce(channel, one)
			<-turns
		}()
	}
	running.Wait()
	if err := json.NewEncoder(os.Stdout).Encode(answers); err != nil {
		log.Fatal(err)
	}
}

func open(target, authority string, alive time.Duration) (*grpc.ClientConn, error) {
	transport := insecure.NewCredentials()
	if authority != "" {
		trusted, err := credentials.NewClientTLSFromFile(authority, "localhost")
		if err != nil {
			return nil, err
		}
		transport = trusted
	}
	options := []grpc.DialOption{
		grpc.WithTransportCredentials(transport),
		grpc.WithDefaultCallOptions(grpc.ForceCodec(rawCodec{})),
	}
	if alive > 0 {
		options = append(options, grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: alive, Timeout: 10 * time.Second}))
	}
	return grpc.NewClient(target, options...)
}

func callOnce(channel *grpc.ClientConn, one call) answer {
	timeout := 60 * time.Second
	if one.TimeoutMs > 0 {
		timeout = time.Duration(one.TimeoutMs) * time.Millisecond
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	var options []grpc.CallOption
	if one.Gzip {
		options = append(options, grpc.UseCompressor(gzip.Name))
	}
	var response []byte
	err := channel.Invoke(ctx, one.Path, &one.Body, &response, options...)
	if err == nil {
		return answer{Response: response}
	}
	found := status.Convert(err)
	out := answer{Code: uint32(found.Code()), Details: found.Message(), Response: []byte{}}
	if len(found.Proto().GetDetails()) > 0 {
		if out.StatusDetails, err = proto.Marshal(found.Proto()); err != nil {
			log.Fatal(err)
		}
	}
	return out
}
