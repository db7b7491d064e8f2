// Prints which endpoint upstream's ring gives each key: compiled by make.mjs together with upstream's own consistent_hashing.go,
// whose package line is replaced by `package main` in a scratch folder. Nothing of upstream is kept here.
package main

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand"
	"os"
	"sort"
)

type set struct {
	Endpoints []string `json:"endpoints"`
	Nodes     int      `json:"nodes"`
	Owners    []int    `json:"owners"`
}

func named(count int, format string) []string {
	names := make([]string, count)
	for i := range names {
		names[i] = fmt.Sprintf(format, i)
	}
	sort.Strings(names)
	return names
}

func main() {
	random := rand.New(rand.NewSource(1))
	keys := [][]byte{{}, make([]byte, 16)}
	for len(keys) < 300 {
		id := make([]byte, 16)
		random.Read(id)
		keys = append(keys, id, []byte(hex.EncodeToString(id)))
	}
	for i := range 100 {
		keys = append(keys, []byte(fmt.Sprintf("service-%d", i)), []byte(fmt.Sprintf("service.name=service-%d|", i)))
	}
	lists := [][]string{
		named(1, "backend-%d:4317"), named(2, "backend-%d:4317"), named(3, "backend-%d"), named(5, "10.0.0.%d:4317"),
		{"[::1]:4317", "[fd00::2]:4317", "collector.observability.svc:4317"},
		named(17, "gateway-%d.gateway.observability.svc.cluster.local:4317"), named(300, "endpoint-%d"),
	}
	out := struct {
		Keys []string `json:"keys"`
		Sets []set    `json:"sets"`
	}{}
	for _, key := range keys {
		out.Keys = append(out.Keys, hex.EncodeToString(key))
	}
	for _, endpoints := range lists {
		ring := newHashRing(endpoints)
		index := map[string]int{}
		for i, endpoint := range endpoints {
			index[endpoint] = i
		}
		one := set{Endpoints: endpoints, Nodes: len(ring.items)}
		for _, key := range keys {
			one.Owners = append(one.Owners, index[ring.endpointFor(key)])
		}
		out.Sets = append(out.Sets, one)
	}
	if err := json.NewEncoder(os.Stdout).Encode(out); err != nil {
		panic(err)
	}
}
