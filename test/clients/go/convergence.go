package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	applyappsv1 "k8s.io/client-go/applyconfigurations/apps/v1"
	applycorev1 "k8s.io/client-go/applyconfigurations/core/v1"
	applymetav1 "k8s.io/client-go/applyconfigurations/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/tools/cache"
	watchtools "k8s.io/client-go/tools/watch"
	"k8s.io/client-go/util/retry"
)

func convergenceChecks() []check {
	return []check{
		{"convergence: retries on conflict lose no count", countsTogether},
		{"convergence: appliers of parts, and one that extracts its own", appliesParts},
		{"convergence: waits with a synced cache", waitsWithSync},
		{"convergence: informers that begin while others write", beginsAmidWrites},
	}
}

// countsTogether lets several add to one number: each must have read what the one before wrote.
func countsTogether(ctx context.Context, w *world) error {
	const clerks, entries = 6, 5
	client := w.client.CoreV1().ConfigMaps(w.namespace)
	book := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "book"}, Data: map[string]string{"count": "0"}}
	if _, err := client.Create(ctx, book, metav1.CreateOptions{}); err != nil {
		return err
	}
	patience := wait.Backoff{Steps: 50, Duration: retry.DefaultBackoff.Duration, Factor: 1.2, Jitter: 0.5, Cap: retry.DefaultBackoff.Cap}
	failures := make([]error, clerks)
	var group sync.WaitGroup
	for clerk := range clerks {
		group.Go(func() {
			for range entries {
				failures[clerk] = errors.Join(failures[clerk], retry.RetryOnConflict(patience, func() error {
					current, err := client.Get(ctx, "book", metav1.GetOptions{})
					if err != nil {
						return err
					}
					count, err := strconv.Atoi(current.Data["count"])
					if err != nil {
						return err
					}
					current.Data["count"] = strconv.Itoa(count + 1)
					_, err = client.Update(ctx, current, metav1.UpdateOptions{})
					return err
				}))
			}
		})
	}
	group.Wait()
	if err := errors.Join(failures...); err != nil {
		return err
	}
	final, err := client.Get(ctx, "book", metav1.GetOptions{})
	if err != nil {
		return err
	}
	if final.Data["count"] != strconv.Itoa(clerks*entries) {
		return fmt.Errorf("%d entries were counted as %s", clerks*entries, final.Data["count"])
	}
	return client.Delete(ctx, "book", metav1.DeleteOptions{})
}

// appliesParts shares a Deployment between two managers; what one applies no more goes, and only that.
func appliesParts(ctx context.Context, w *world) error {
	client := w.client.AppsV1().Deployments(w.namespace)
	labels := map[string]string{"app": "shared"}
	owner, sidecar := metav1.ApplyOptions{FieldManager: "owner"}, metav1.ApplyOptions{FieldManager: "sidecar"}
	container := func(name, image string) *applycorev1.ContainerApplyConfiguration {
		return applycorev1.Container().WithName(name).WithImage(image)
	}
	template := func(containers ...*applycorev1.ContainerApplyConfiguration) *applycorev1.PodTemplateSpecApplyConfiguration {
		return applycorev1.PodTemplateSpec().WithLabels(labels).WithSpec(applycorev1.PodSpec().WithContainers(containers...))
	}
	whole := applyappsv1.Deployment("shared", w.namespace).WithSpec(applyappsv1.DeploymentSpec().WithReplicas(0).
		WithSelector(applymetav1.LabelSelector().WithMatchLabels(labels)).WithTemplate(template(container("web", "registry.example/web:1"))))
	if _, err := client.Apply(ctx, whole, owner); err != nil {
		return err
	}
	part := applyappsv1.Deployment("shared", w.namespace).WithSpec(applyappsv1.DeploymentSpec().
		WithTemplate(applycorev1.PodTemplateSpec().WithSpec(applycorev1.PodSpec().WithContainers(container("proxy", "registry.example/proxy:1")))))
	both, err := client.Apply(ctx, part, sidecar)
	if err != nil {
		return err
	}
	if containers := both.Spec.Template.Spec.Containers; len(containers) != 2 {
		return fmt.Errorf("containers are %v", containers)
	}
	// What was extracted is what was applied: changed and applied again, it takes nothing from the other.
	own, err := applyappsv1.ExtractDeployment(both, owner.FieldManager)
	if err != nil {
		return err
	}
	if own.Spec == nil || own.Spec.Template == nil || own.Spec.Template.Spec == nil || len(own.Spec.Template.Spec.Containers) != 1 {
		return fmt.Errorf("extracted %+v", own.Spec)
	}
	own.Spec.Template.Spec.Containers[0].WithImage("registry.example/web:2")
	changed, err := client.Apply(ctx, own, owner)
	if err != nil {
		return err
	}
	images := map[string]string{}
	for _, each := range changed.Spec.Template.Spec.Containers {
		images[each.Name] = each.Image
	}
	if len(images) != 2 || images["web"] != "registry.example/web:2" || images["proxy"] != "registry.example/proxy:1" {
		return fmt.Errorf("images are %v", images)
	}
	// The status is applied apart, and its manager is another.
	condition := applyappsv1.DeploymentCondition().WithType("Tested").WithStatus(corev1.ConditionTrue).WithReason("Applied").WithMessage("by hand")
	status := applyappsv1.Deployment("shared", w.namespace).WithStatus(applyappsv1.DeploymentStatus().WithConditions(condition))
	if _, err := client.ApplyStatus(ctx, status, metav1.ApplyOptions{FieldManager: "tester", Force: true}); err != nil {
		return err
	}
	none := applyappsv1.Deployment("shared", w.namespace)
	left, err := client.Apply(ctx, none, sidecar)
	if err != nil {
		return err
	}
	if containers := left.Spec.Template.Spec.Containers; len(containers) != 1 || containers[0].Name != "web" {
		return fmt.Errorf("containers are %v", containers)
	}
	return client.Delete(ctx, "shared", metav1.DeleteOptions{})
}

// waitsWithSync waits for a Pod as kubectl wait and Helm do: a cache of one object, then its changes.
func waitsWithSync(ctx context.Context, w *world) error {
	pods := w.client.CoreV1().Pods(w.namespace)
	if _, err := pods.Create(ctx, &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "awaited"}, Spec: podSpec()}, metav1.CreateOptions{}); err != nil {
		return err
	}
	source := cache.NewListWatchFromClient(w.client.CoreV1().RESTClient(), "pods", w.namespace, fields.OneTermEqualSelector("metadata.name", "awaited"))
	ready := func(event watch.Event) (bool, error) {
		pod, isPod := event.Object.(*corev1.Pod)
		if !isPod || event.Type == watch.Deleted {
			return false, fmt.Errorf("%s with %v", event.Type, event.Object)
		}
		for _, condition := range pod.Status.Conditions {
			if condition.Type == corev1.PodReady && condition.Status == corev1.ConditionTrue {
				return true, nil
			}
		}
		return false, nil
	}
	if _, err := watchtools.UntilWithSync(ctx, source, &corev1.Pod{}, nil, ready); err != nil {
		return err
	}
	if err := pods.Delete(ctx, "awaited", metav1.DeleteOptions{}); err != nil {
		return err
	}
	gone := func(event watch.Event) (bool, error) { return event.Type == watch.Deleted, nil }
	alreadyGone := func(store cache.Store) (bool, error) { return len(store.List()) == 0, nil }
	_, err := watchtools.UntilWithSync(ctx, source, &corev1.Pod{}, alreadyGone, gone)
	return err
}

// beginsAmidWrites starts informers one after the other while objects come, change and go. With client-go's detector of
// inconsistencies on, each compares what its watch list brought with a list at the same resourceVersion, and panics if they differ.
func beginsAmidWrites(ctx context.Context, w *world) error {
	const informerCount, busyWriters = 15, 3
	client := w.client.CoreV1().ConfigMaps(w.namespace)
	writing, stopWriting := context.WithCancel(ctx)
	var group sync.WaitGroup
	failures := make([]error, busyWriters)
	for writer := range busyWriters {
		group.Go(func() {
			for turn := 0; writing.Err() == nil && failures[writer] == nil; turn++ {
				failures[writer] = writeOnce(ctx, w, fmt.Sprintf("amid-%d-%d", writer, turn%7))
			}
		})
	}
	for range informerCount {
		factory := informers.NewSharedInformerFactoryWithOptions(w.client, 0, informers.WithNamespace(w.namespace))
		informer := factory.Core().V1().ConfigMaps().Informer()
		running, stop := context.WithCancel(ctx)
		factory.Start(running.Done())
		synced := cache.WaitForCacheSync(ctx.Done(), informer.HasSynced)
		stop()
		factory.Shutdown()
		if !synced {
			stopWriting()
			return errors.New("an informer did not sync")
		}
	}
	stopWriting()
	group.Wait()
	if err := errors.Join(failures...); err != nil {
		return err
	}
	return client.DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{LabelSelector: "amid=writes"})
}

// writeOnce creates the object, or changes it if it is there, or deletes it if it was changed.
func writeOnce(ctx context.Context, w *world, name string) error {
	client := w.client.CoreV1().ConfigMaps(w.namespace)
	current, err := client.Get(ctx, name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		_, err = client.Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"amid": "writes"}}}, metav1.CreateOptions{})
	case err != nil:
	case current.Data == nil:
		current.Data = map[string]string{"changed": "yes"}
		_, err = client.Update(ctx, current, metav1.UpdateOptions{})
	default:
		err = client.Delete(ctx, name, metav1.DeleteOptions{})
	}
	return err
}
