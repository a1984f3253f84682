// Package main is versitygw's S3 server with only the backend that the local
// platform uses, a folder of files. It takes the part of versitygw's own command
// line that dev/vivero_dev/backing/object_store.py writes; without the clients of
// other clouds and the test suite it compiles in less processor time.
package main

import (
	"context"
	"flag"
	"log"
	"os"
	"os/signal"
	"syscall"

	"github.com/versity/versitygw/backend/meta"
	"github.com/versity/versitygw/backend/posix"
	"github.com/versity/versitygw/embedgw"
)

// What versitygw's command line has as defaults, and its library has not.
const (
	maxParts      = 10_000
	maxCopied     = 5 << 30
	maxConcurrent = 5_000
	bufferSize    = 1 << 20
	folderMode    = 0o755
	fileMode      = 0o644
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		log.Fatal(err)
	}
}

func run(arguments []string) error {
	config := embedgw.Config{
		RootUserAccess:    os.Getenv("ROOT_ACCESS_KEY"),
		RootUserSecret:    os.Getenv("ROOT_SECRET_KEY"),
		MultipartMaxParts: maxParts,
	}
	var port, versions string
	server := flag.NewFlagSet("versitygw", flag.ExitOnError)
	server.StringVar(&port, "port", "", "address or socket to listen at")
	server.StringVar(&config.Region, "region", "", "region that clients sign for")
	server.StringVar(&config.IAMDir, "iam-dir", "", "folder of the accounts")
	server.IntVar(&config.MaxConnections, "max-connections", 0, "connections at once")
	server.IntVar(&config.MaxRequests, "max-requests", 0, "requests at once")
	server.BoolVar(&config.KeepAlive, "keep-alive", false, "keep connections open between requests")
	server.BoolVar(&config.IAMCacheDisable, "iam-cache-disable", false, "read accounts at each request")
	server.BoolVar(&config.Quiet, "quiet", false, "do not log requests")
	store := flag.NewFlagSet("posix", flag.ExitOnError)
	store.StringVar(&versions, "versioning-dir", "", "folder of earlier versions")
	_ = server.Parse(arguments) // it exits on an error
	if server.Arg(0) != store.Name() {
		log.Fatalf("the backend has to be %s", store.Name())
	}
	_ = store.Parse(server.Args()[1:])
	if store.NArg() != 1 {
		log.Fatal("one folder has to be named")
	}
	config.Ports = []string{port}

	folder := store.Arg(0)
	if err := (meta.XattrMeta{}).Test(folder); err != nil {
		return err
	}
	options := posix.PosixOpts{
		VersioningDir:       versions,
		Concurrency:         maxConcurrent,
		IOBufferSize:        bufferSize,
		CopyObjectThreshold: maxCopied,
	}
	options.SetNewDirPerm(folderMode)
	options.SetNewFilePerm(fileMode)
	files, err := posix.New(folder, meta.XattrMeta{}, options)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	return embedgw.RunVersityGW(ctx, files, &config)
}
