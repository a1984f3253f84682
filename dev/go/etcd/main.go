// Package main is etcd: its own module holds replace directives, which
// `go install` refuses, so this module calls its entry point.
package main

import (
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
)

func main() {
	etcdmain.Main(os.Args)
}
