// A dubbo-go client that asks a beatbridge about a service, once and for as long as it lasts. It names the service as Dubbo does:
// [group/]interface[:version]. With a version or a group exactly that provider is meant, and no other will do; the bare interface stands
// for all of its versions and groups, and serves if one of them does. Providers need no change: it is read from how they register.
//
// Two things to know. A provider of dubbo-go has a health service of its own, which marks all that it loaded SERVING: ask the bridge, by
// its URL. And a Watch that has ended, because the bridge was restarted, stays ended: open it again.
package main

import (
	"context"
	"fmt"
	"os"

	"dubbo.apache.org/dubbo-go/v3/client"
	// What a client needs of dubbo-go's parts. A program that has all of them by dubbo-go/v3/imports needs none of these.
	_ "dubbo.apache.org/dubbo-go/v3/cluster/cluster/failover"
	_ "dubbo.apache.org/dubbo-go/v3/cluster/loadbalance/random"
	_ "dubbo.apache.org/dubbo-go/v3/cluster/router/tag"
	_ "dubbo.apache.org/dubbo-go/v3/filter/graceful_shutdown"
	_ "dubbo.apache.org/dubbo-go/v3/protocol/triple"
	_ "dubbo.apache.org/dubbo-go/v3/proxy/proxy_factory"

	health "dubbo.apache.org/dubbo-go/v3/protocol/triple/health/triple_health"
)

// Usage: main ADDRESS SERVICE, as in: main 127.0.0.1:20000 blue/com.shop.Orders:1.0.0
func main() {
	cli, err := client.NewClient(client.WithClientURL("tri://" + os.Args[1]))
	if err != nil {
		panic(err)
	}
	service, err := health.NewHealth(cli)
	if err != nil {
		panic(err)
	}
	request := &health.HealthCheckRequest{Service: os.Args[2]}

	answer, err := service.Check(context.Background(), request)
	// An error with the code NotFound: nobody has registered so, or not for a minute.
	fmt.Println("check:", answer.GetStatus(), err)

	watch, err := service.Watch(context.Background(), request)
	if err != nil {
		panic(err)
	}
	for watch.Recv() {
		fmt.Println("watch:", watch.Msg().GetStatus())
	}
	fmt.Println("watch ended:", watch.Err())
}
