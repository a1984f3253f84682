// Command controller_runtime is Vivero's peer in the benchmarks: an operator as it is written in Go, with
// controller-runtime, that brings about the very same tenant.
//
//	kubectl apply --filename crd.yaml
//	python benchmarks/peers/objects.py --status status.json --objects objects.json --backends backends.json
//	controller_runtime --kubeconfig admin.kubeconfig --objects objects.json --backends backends.json
package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"
)

// Server is a backing server and its administrator.
type Server struct {
	Host     string `json:"host"`
	Port     int    `json:"port"`
	User     string `json:"user"`
	Password string `json:"password"`
}

// ObjectStore is the S3 server and its administrator.
type ObjectStore struct {
	Endpoint  string `json:"endpoint"`
	AccessKey string `json:"access_key"`
	SecretKey string `json:"secret_key"`
	Region    string `json:"region"`
}

// Backends are all backing servers; CA is the file of the authority that signed their certificates.
type Backends struct {
	MariaDB Server      `json:"mariadb"`
	S3      ObjectStore `json:"s3"`
	Valkey  Server      `json:"valkey"`
	CA      string      `json:"ca"`
}

func main() {
	// controller-runtime itself adds --kubeconfig.
	objects := flag.String("objects", "", "JSON `file` with a tenant's objects")
	backends := flag.String("backends", "", "JSON `file` with the backing servers and their administrators")
	concurrency := flag.Int("concurrency", 12, "reconciles at once; as many as Vivero's operator does")
	flag.Parse()
	ctrl.SetLogger(logr.FromSlogHandler(slog.NewJSONHandler(os.Stderr, nil)))
	if err := run(*objects, *backends, *concurrency); err != nil {
		slog.New(slog.NewJSONHandler(os.Stderr, nil)).Error("cannot run", "error", err.Error())
		os.Exit(1)
	}
}

func run(objects, backends string, concurrency int) error {
	reconciler := &Reconciler{workspace: newWorkspace()}
	var err error
	if reconciler.blueprint, err = readBlueprint(objects); err != nil {
		return err
	}
	if err := reconciler.connect(backends, concurrency); err != nil {
		return err
	}
	mgr, err := newManager()
	if err != nil {
		return err
	}
	ctx := ctrl.SetupSignalHandler()
	reconciler.Client, reconciler.live = mgr.GetClient(), mgr.GetAPIReader()
	if err := reconciler.setup(ctx, mgr, concurrency); err != nil {
		return err
	}
	return mgr.Start(ctx)
}

func newManager() (ctrl.Manager, error) {
	config, err := ctrl.GetConfig()
	if err != nil {
		return nil, err
	}
	config.QPS = -1 // the API server has its own priority and fairness
	tenants, err := labels.Parse(labelTenant)
	if err != nil {
		return nil, err
	}
	scheme := runtime.NewScheme()
	addToScheme(scheme)
	if err := corev1.AddToScheme(scheme); err != nil {
		return nil, err
	}
	pods := cache.ByObject{Label: tenants, Transform: cache.TransformStripManagedFields()}
	return ctrl.NewManager(config, ctrl.Options{
		Scheme:                 scheme,
		Cache:                  cache.Options{ByObject: map[client.Object]cache.ByObject{&corev1.Pod{}: pods}},
		Metrics:                server.Options{BindAddress: "0"},
		HealthProbeBindAddress: "0",
	})
}

// connect reads who the backing servers are; each reconcile has a connection of its own to each.
func (r *Reconciler) connect(path string, concurrency int) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var all Backends
	if err := json.Unmarshal(content, &all); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	authority, err := os.ReadFile(all.CA)
	if err != nil {
		return err
	}
	trust := &tls.Config{MinVersion: tls.VersionTLS13, RootCAs: x509.NewCertPool()}
	if !trust.RootCAs.AppendCertsFromPEM(authority) {
		return errors.New(all.CA + " holds no certificate")
	}
	r.storage, r.cache = newStorage(all.S3, trust, concurrency), newCache(all.Valkey, trust, concurrency)
	r.database, err = newDatabase(all.MariaDB, trust, concurrency)
	return err
}
