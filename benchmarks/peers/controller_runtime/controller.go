package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
)

const (
	finalizer = "bench.vivero.dev/tenant"
	indexID   = "id"
	// What was brought about is not compared again within this time: the pod's own events come seconds later.
	believed = time.Minute
	// A pod's readiness comes as an event; this is for one that was missed.
	lookAgain = 30 * time.Second
)

// Reconciler brings about one tenant for each BenchTenant.
type Reconciler struct {
	client.Client
	live      client.Reader // asks the API server itself
	blueprint *Blueprint
	database  *Database
	storage   *Storage
	cache     *Cache
	workspace *Workspace
	done      sync.Map // uid: what was last brought about
}

// done is a generation of a BenchTenant, and when all of it was there.
type done struct {
	generation int64
	at         time.Time
}

func (r *Reconciler) setup(ctx context.Context, mgr ctrl.Manager, concurrency int) error {
	byID := func(object client.Object) []string { return []string{tenantID(object.GetUID())} }
	if err := mgr.GetFieldIndexer().IndexField(ctx, &BenchTenant{}, indexID, byID); err != nil {
		return err
	}
	readiness := predicate.Funcs{
		CreateFunc: func(e event.CreateEvent) bool { return isReady(e.Object) },
		UpdateFunc: func(e event.UpdateEvent) bool { return isReady(e.ObjectOld) != isReady(e.ObjectNew) },
	}
	return ctrl.NewControllerManagedBy(mgr).
		For(&BenchTenant{}, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&corev1.Pod{}, handler.EnqueueRequestsFromMapFunc(r.ownerOf), builder.WithPredicates(readiness)).
		WithOptions(controller.Options{MaxConcurrentReconciles: concurrency}).
		Complete(r)
}

func (r *Reconciler) ownerOf(ctx context.Context, pod client.Object) []ctrl.Request {
	var owners BenchTenantList
	if err := r.List(ctx, &owners, client.MatchingFields{indexID: pod.GetLabels()[labelTenant]}); err != nil {
		return nil
	}
	requests := make([]ctrl.Request, 0, len(owners.Items))
	for i := range owners.Items {
		requests = append(requests, ctrl.Request{NamespacedName: types.NamespacedName{Name: owners.Items[i].Name}})
	}
	return requests
}

// Reconcile is one pass over one tenant.
func (r *Reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	var t BenchTenant
	if err := r.Get(ctx, request.NamespacedName, &t); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	n, err := namesOf(tenantID(t.UID))
	if err != nil {
		return ctrl.Result{}, err
	}
	if t.DeletionTimestamp != nil {
		return ctrl.Result{}, r.remove(ctx, &t, n)
	}
	before := t.DeepCopy()
	if controllerutil.AddFinalizer(&t, finalizer) {
		if err := r.Patch(ctx, &t, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})); err != nil {
			return ctrl.Result{}, err
		}
	}
	condition, err := r.bringAbout(ctx, &t, n)
	if err != nil {
		condition = metav1.Condition{Status: metav1.ConditionFalse, Reason: "Failed", Message: err.Error()}
	}
	if err := errors.Join(err, r.report(ctx, &t, condition)); err != nil {
		return ctrl.Result{}, err
	}
	if condition.Status != metav1.ConditionTrue {
		return ctrl.Result{RequeueAfter: lookAgain}, nil
	}
	return ctrl.Result{}, nil
}

// bringAbout makes everything and, once the pod answers, tells it who it is and has it prove its credentials.
func (r *Reconciler) bringAbout(ctx context.Context, t *BenchTenant, n names) (metav1.Condition, error) {
	ready := metav1.Condition{Status: metav1.ConditionTrue, Reason: "Proven", Message: "The workspace uses all it was given"}
	passwords, err := r.provision(ctx, t, n)
	if err != nil {
		return ready, err
	}
	address, err := r.readyPod(ctx, n.namespace)
	if err != nil {
		return ready, err
	}
	if address == "" {
		return metav1.Condition{Status: metav1.ConditionFalse, Reason: "Starting", Message: "Waiting for the pod"}, nil
	}
	known := meta.FindStatusCondition(t.Status.Conditions, "Ready")
	if known != nil && known.Status == metav1.ConditionTrue && known.ObservedGeneration == t.Generation {
		return *known, nil
	}
	url := r.blueprint.replacer(t, passwords).Replace(r.blueprint.PublicURL)
	return ready, r.workspace.Introduce(ctx, address, passwords[operatorToken], t.Name, url)
}

// provision brings about the objects stage by stage, and the backends as soon as their passwords are stored.
func (r *Reconciler) provision(ctx context.Context, t *BenchTenant, n names) (map[slot]string, error) {
	if known, ok := r.done.Load(t.UID); ok {
		if last := known.(done); last.generation == t.Generation && time.Since(last.at) < believed {
			return r.passwords(ctx, n.namespace)
		}
	}
	fresh, err := r.isFresh(ctx, t, n.namespace)
	if err != nil {
		return nil, err
	}
	passwords := r.blueprint.passwords(nil)
	if !fresh {
		if passwords, err = r.passwords(ctx, n.namespace); err != nil {
			return nil, err
		}
	}
	marks := r.blueprint.replacer(t, passwords)
	var backends errgroup.Group // a server that does not answer holds up no object
	for stage := range r.blueprint.Stages {
		if err := r.ensureStage(ctx, stage, marks, fresh); err != nil {
			return nil, errors.Join(err, backends.Wait())
		}
		if stage == r.blueprint.secretStage {
			limit := r.blueprint.Connections
			backends.Go(func() error { return r.database.Ensure(ctx, n, passwords[databasePassword], limit, fresh) })
			backends.Go(func() error { return r.storage.Ensure(ctx, n.bucket, passwords[storageSecret]) })
			backends.Go(func() error { return r.cache.Ensure(ctx, n.cacheUser, passwords[cachePassword]) })
		}
	}
	if err := backends.Wait(); err != nil {
		return nil, err
	}
	r.done.Store(t.UID, done{t.Generation, time.Now()})
	return passwords, nil
}

func (r *Reconciler) passwords(ctx context.Context, namespace string) (map[slot]string, error) {
	var secrets corev1.SecretList
	if err := r.live.List(ctx, &secrets, client.InNamespace(namespace)); err != nil {
		return nil, fmt.Errorf("read the credentials: %w", err)
	}
	return r.blueprint.passwords(secrets.Items), nil
}

func (r *Reconciler) report(ctx context.Context, t *BenchTenant, condition metav1.Condition) error {
	before := t.DeepCopy()
	condition.Type, condition.ObservedGeneration = "Ready", t.Generation
	if !meta.SetStatusCondition(&t.Status.Conditions, condition) {
		return nil
	}
	return client.IgnoreNotFound(r.Status().Patch(ctx, t, client.MergeFrom(before)))
}

// remove takes everything away, data included; each part may be gone already.
func (r *Reconciler) remove(ctx context.Context, t *BenchTenant, n names) error {
	r.done.Delete(t.UID)
	if err := errors.Join(
		r.deleteNamespace(ctx, t, n.namespace),
		r.database.Drop(ctx, n),
		r.storage.Drop(ctx, n.bucket),
		r.cache.Drop(ctx, n.cacheUser),
	); err != nil {
		return err
	}
	before := t.DeepCopy()
	controllerutil.RemoveFinalizer(t, finalizer)
	return client.IgnoreNotFound(r.Patch(ctx, t, client.MergeFrom(before)))
}
