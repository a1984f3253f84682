package main

import (
	"context"
	"fmt"
	"reflect"
	"strings"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	fieldOwner        = client.FieldOwner("bench-operator")
	labelTenant       = "vivero.dev/tenant"
	annotationUID     = "vivero.dev/tenant-uid"
	annotationApplied = "vivero.dev/applied"
)

// isFresh tells whether the tenant has no namespace yet: then nothing can be in it, and nothing has to be read first.
func (r *Reconciler) isFresh(ctx context.Context, t *BenchTenant, namespace string) (bool, error) {
	live := &metav1.PartialObjectMetadata{}
	live.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Namespace"))
	err := r.live.Get(ctx, client.ObjectKey{Name: namespace}, live)
	switch {
	case apierrors.IsNotFound(err):
		return true, nil
	case err != nil:
		return false, err
	case live.Annotations[annotationUID] != string(t.UID):
		return false, fmt.Errorf("namespace %s belongs to somebody else", namespace)
	case live.DeletionTimestamp != nil:
		return false, fmt.Errorf("namespace %s is on its way out", namespace)
	}
	return false, nil
}

func (r *Reconciler) ensureStage(ctx context.Context, stage int, marks *strings.Replacer, fresh bool) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, raw := range r.blueprint.Stages[stage] {
		group.Go(func() error {
			object, err := render(raw, marks)
			if err != nil {
				return fmt.Errorf("stage %d: %w", stage, err)
			}
			if err := r.ensure(ctx, object, fresh); err != nil {
				return fmt.Errorf("%s %s: %w", object.GetKind(), object.GetName(), err)
			}
			return nil
		})
	}
	return group.Wait()
}

// ensure applies the object unless it is there as wanted.
func (r *Reconciler) ensure(ctx context.Context, wanted *unstructured.Unstructured, fresh bool) error {
	if !fresh {
		present := &unstructured.Unstructured{}
		present.SetGroupVersionKind(wanted.GroupVersionKind())
		err := r.live.Get(ctx, client.ObjectKeyFromObject(wanted), present)
		if client.IgnoreNotFound(err) != nil {
			return err
		}
		if err == nil && isCurrent(wanted, present) {
			return nil
		}
	}
	return r.Apply(ctx, client.ApplyConfigurationFromUnstructured(wanted), fieldOwner, client.ForceOwnership)
}

// isCurrent compares the digest of what was applied; a Secret has none, so its data is compared.
func isCurrent(wanted, present *unstructured.Unstructured) bool {
	return wanted.GetAnnotations()[annotationApplied] == present.GetAnnotations()[annotationApplied] &&
		reflect.DeepEqual(wanted.Object["data"], present.Object["data"])
}

// readyPod returns the address of a pod that answers, empty while there is none.
func (r *Reconciler) readyPod(ctx context.Context, namespace string) (string, error) {
	var pods corev1.PodList
	if err := r.List(ctx, &pods, client.InNamespace(namespace)); err != nil {
		return "", err
	}
	for i := range pods.Items {
		if isReady(&pods.Items[i]) {
			return pods.Items[i].Status.PodIP, nil
		}
	}
	return "", nil
}

func isReady(object client.Object) bool {
	pod, ok := object.(*corev1.Pod)
	if !ok || pod.DeletionTimestamp != nil || pod.Status.PodIP == "" {
		return false
	}
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodReady {
			return condition.Status == corev1.ConditionTrue
		}
	}
	return false
}

func (r *Reconciler) deleteNamespace(ctx context.Context, t *BenchTenant, name string) error {
	namespace := &corev1.Namespace{}
	err := r.live.Get(ctx, client.ObjectKey{Name: name}, namespace)
	if err != nil || namespace.Annotations[annotationUID] != string(t.UID) {
		return client.IgnoreNotFound(err)
	}
	return client.IgnoreNotFound(r.Delete(ctx, namespace, client.Preconditions{UID: &namespace.UID}))
}
