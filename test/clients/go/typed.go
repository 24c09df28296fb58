package main

import (
	"context"
	"fmt"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	applycorev1 "k8s.io/client-go/applyconfigurations/core/v1"
	"k8s.io/client-go/tools/pager"
	"k8s.io/client-go/util/retry"
	"k8s.io/utils/ptr"
)

// typedClient is what all typed clients of client-go have in common.
type typedClient[T metav1.Object, L metav1.ListInterface] interface {
	Create(ctx context.Context, object T, options metav1.CreateOptions) (T, error)
	Update(ctx context.Context, object T, options metav1.UpdateOptions) (T, error)
	Delete(ctx context.Context, name string, options metav1.DeleteOptions) error
	Get(ctx context.Context, name string, options metav1.GetOptions) (T, error)
	List(ctx context.Context, options metav1.ListOptions) (L, error)
	Watch(ctx context.Context, options metav1.ListOptions) (watch.Interface, error)
	Patch(ctx context.Context, name string, kind types.PatchType, data []byte, options metav1.PatchOptions, subresources ...string) (T, error)
}

// subject is a kind to take through its life.
type subject[T metav1.Object, L metav1.ListInterface] struct {
	client func(*world) typedClient[T, L]
	object func() T
	// change edits an object for an update, and changed tells whether an answer has that.
	change  func(T)
	changed func(T) bool
	// part is what nobody but the program writes, so that it must come back as it was sent.
	part func(T) any
}

var madeByUs = map[string]string{"made-by": "clients"}

const selector = "made-by=clients"

func metaOf(name string) metav1.ObjectMeta { return metav1.ObjectMeta{Name: name, Labels: madeByUs} }

func podSpec() corev1.PodSpec {
	return corev1.PodSpec{
		TerminationGracePeriodSeconds: ptr.To[int64](1),
		Containers: []corev1.Container{{
			Name:  "web",
			Image: "registry.example/web:1",
			Resources: corev1.ResourceRequirements{
				Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("50m"), corev1.ResourceMemory: resource.MustParse("32Mi")},
			},
		}},
	}
}

func typedChecks() []check {
	deployments := subject[*appsv1.Deployment, *appsv1.DeploymentList]{
		client: func(w *world) typedClient[*appsv1.Deployment, *appsv1.DeploymentList] {
			return w.client.AppsV1().Deployments(w.namespace)
		},
		object: func() *appsv1.Deployment {
			return &appsv1.Deployment{ObjectMeta: metaOf("typed"), Spec: appsv1.DeploymentSpec{
				Replicas: ptr.To[int32](1),
				Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "typed"}},
				Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": "typed"}}, Spec: podSpec()},
			}}
		},
		change:  func(d *appsv1.Deployment) { d.Spec.Replicas = ptr.To[int32](2) },
		changed: func(d *appsv1.Deployment) bool { return *d.Spec.Replicas == 2 },
		part:    func(d *appsv1.Deployment) any { return d.Spec.Selector },
	}
	pods := subject[*corev1.Pod, *corev1.PodList]{
		client:  func(w *world) typedClient[*corev1.Pod, *corev1.PodList] { return w.client.CoreV1().Pods(w.namespace) },
		object:  func() *corev1.Pod { return &corev1.Pod{ObjectMeta: metaOf("typed"), Spec: podSpec()} },
		change:  func(p *corev1.Pod) { p.Spec.Containers[0].Image = "registry.example/web:2" },
		changed: func(p *corev1.Pod) bool { return p.Spec.Containers[0].Image == "registry.example/web:2" },
		part:    func(p *corev1.Pod) any { return p.Spec.Containers[0].Resources },
	}
	configMaps := subject[*corev1.ConfigMap, *corev1.ConfigMapList]{
		client: func(w *world) typedClient[*corev1.ConfigMap, *corev1.ConfigMapList] {
			return w.client.CoreV1().ConfigMaps(w.namespace)
		},
		object: func() *corev1.ConfigMap {
			return &corev1.ConfigMap{
				ObjectMeta: metaOf("typed"),
				Data:       map[string]string{"text": "line one\nzwei: ü 🚀"},
				BinaryData: map[string][]byte{"bytes": {0, 1, 254, 255}},
			}
		},
		change:  func(c *corev1.ConfigMap) { c.Data["more"] = strings.Repeat("x", 100_000) },
		changed: func(c *corev1.ConfigMap) bool { return len(c.Data["more"]) == 100_000 },
		part:    func(c *corev1.ConfigMap) any { return []any{c.Data, c.BinaryData} },
	}
	secrets := subject[*corev1.Secret, *corev1.SecretList]{
		client: func(w *world) typedClient[*corev1.Secret, *corev1.SecretList] {
			return w.client.CoreV1().Secrets(w.namespace)
		},
		object: func() *corev1.Secret {
			return &corev1.Secret{ObjectMeta: metaOf("typed"), Type: corev1.SecretTypeOpaque, Data: map[string][]byte{"password": {0, 200, 10}}}
		},
		change:  func(s *corev1.Secret) { s.StringData = map[string]string{"user": "alice"} },
		changed: func(s *corev1.Secret) bool { return string(s.Data["user"]) == "alice" && len(s.StringData) == 0 },
		part:    func(s *corev1.Secret) any { return []any{s.Type, s.Data} },
	}
	leases := subject[*coordinationv1.Lease, *coordinationv1.LeaseList]{
		client: func(w *world) typedClient[*coordinationv1.Lease, *coordinationv1.LeaseList] {
			return w.client.CoordinationV1().Leases(w.namespace)
		},
		object: func() *coordinationv1.Lease {
			return &coordinationv1.Lease{ObjectMeta: metaOf("typed"), Spec: coordinationv1.LeaseSpec{
				HolderIdentity: ptr.To("one"), LeaseDurationSeconds: ptr.To[int32](15), RenewTime: ptr.To(metav1.NowMicro()),
			}}
		},
		change:  func(l *coordinationv1.Lease) { l.Spec.HolderIdentity = ptr.To("two") },
		changed: func(l *coordinationv1.Lease) bool { return *l.Spec.HolderIdentity == "two" },
		part: func(l *coordinationv1.Lease) any {
			return []any{l.Spec.LeaseDurationSeconds, l.Spec.RenewTime.UnixMicro()}
		},
	}
	return []check{
		{"typed: the life of a Deployment", deployments.live},
		{"typed: the life of a Pod", pods.live},
		{"typed: the life of a ConfigMap", configMaps.live},
		{"typed: the life of a Secret", secrets.live},
		{"typed: the life of a Lease", leases.live},
		{"typed: protobuf both ways", speaksProtobuf},
		{"typed: server-side apply", appliesServerSide},
		{"typed: lists in pages", listsInPages},
		{"typed: a Deployment becomes available and is scaled", scales},
		{"typed: errors have the types that client-go knows", refusesTyped},
	}
}

// live takes one object from its creation to its end, and compares what a watch told with what was done.
func (s subject[T, L]) live(ctx context.Context, w *world) error {
	client := s.client(w)
	before, err := client.List(ctx, metav1.ListOptions{LabelSelector: selector})
	if err != nil {
		return fmt.Errorf("list: %w", err)
	}
	watcher, err := client.Watch(ctx, metav1.ListOptions{
		LabelSelector: selector, ResourceVersion: before.GetResourceVersion(), AllowWatchBookmarks: true,
	})
	if err != nil {
		return fmt.Errorf("watch: %w", err)
	}
	defer watcher.Stop()

	sent := s.object()
	made, err := client.Create(ctx, sent, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("create: %w", err)
	}
	if !equality.Semantic.DeepEqual(s.part(made), s.part(sent)) {
		return fmt.Errorf("create answered %v for %v", s.part(made), s.part(sent))
	}
	if _, err := client.Create(ctx, s.object(), metav1.CreateOptions{}); !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("a second create answered %v", err)
	}
	if err := s.update(ctx, client, made); err != nil {
		return err
	}
	if err := s.patch(ctx, client, made.GetName()); err != nil {
		return err
	}
	after, err := client.List(ctx, metav1.ListOptions{LabelSelector: selector})
	if err != nil {
		return fmt.Errorf("list: %w", err)
	}
	if after.GetResourceVersion() == before.GetResourceVersion() {
		return fmt.Errorf("the list's resourceVersion stayed %s", after.GetResourceVersion())
	}
	uid := made.GetUID()
	if err := client.Delete(ctx, made.GetName(), metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &uid}}); err != nil {
		return fmt.Errorf("delete: %w", err)
	}
	if err := s.follow(ctx, watcher, made); err != nil {
		return fmt.Errorf("watch: %w", err)
	}
	return eventually(ctx, isGone(func() error {
		_, err := client.Get(ctx, made.GetName(), metav1.GetOptions{})
		return err
	}))
}

func (s subject[T, L]) update(ctx context.Context, client typedClient[T, L], made T) error {
	var updated T
	err := retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		current, err := client.Get(ctx, made.GetName(), metav1.GetOptions{})
		if err != nil {
			return err
		}
		s.change(current)
		updated, err = client.Update(ctx, current, metav1.UpdateOptions{})
		return err
	})
	if err != nil {
		return fmt.Errorf("update: %w", err)
	}
	if !s.changed(updated) || updated.GetUID() != made.GetUID() || updated.GetResourceVersion() == made.GetResourceVersion() {
		return fmt.Errorf("update answered %v", updated)
	}
	s.change(made)
	if _, err := client.Update(ctx, made, metav1.UpdateOptions{}); !apierrors.IsConflict(err) {
		return fmt.Errorf("an update of what it was before answered %v", err)
	}
	return nil
}

func (s subject[T, L]) patch(ctx context.Context, client typedClient[T, L], name string) error {
	patches := []struct {
		kind        types.PatchType
		body, value string
	}{
		{types.StrategicMergePatchType, `{"metadata":{"annotations":{"patched":"strategically"}}}`, "strategically"},
		{types.MergePatchType, `{"metadata":{"annotations":{"patched":"merged"}}}`, "merged"},
		{types.JSONPatchType, `[{"op":"replace","path":"/metadata/annotations/patched","value":"replaced"}]`, "replaced"},
	}
	for _, each := range patches {
		patched, err := client.Patch(ctx, name, each.kind, []byte(each.body), metav1.PatchOptions{})
		if err != nil {
			return fmt.Errorf("patch with %s: %w", each.kind, err)
		}
		if value := patched.GetAnnotations()["patched"]; value != each.value {
			return fmt.Errorf("patch with %s left %q", each.kind, value)
		}
	}
	return nil
}

// follow reads the watch to the object's end: one ADDED, then MODIFIED, one DELETED, resourceVersions that grow.
func (s subject[T, L]) follow(ctx context.Context, watcher watch.Interface, made T) error {
	var told []watch.EventType
	var last string
	sawChange := false
	for {
		select {
		case <-ctx.Done():
			return fmt.Errorf("no DELETED after %v", told)
		case event, open := <-watcher.ResultChan():
			if !open {
				return fmt.Errorf("it ended after %v", told)
			}
			if event.Type == watch.Bookmark {
				continue
			}
			object, ok := event.Object.(T)
			if !ok {
				return fmt.Errorf("%s with a %T", event.Type, event.Object)
			}
			if object.GetUID() != made.GetUID() {
				continue
			}
			told = append(told, event.Type)
			if order, err := compareVersions(last, object.GetResourceVersion()); err != nil || order >= 0 {
				return fmt.Errorf("resourceVersion %s after %s (%v)", object.GetResourceVersion(), last, told)
			}
			last = object.GetResourceVersion()
			sawChange = sawChange || s.changed(object)
			if (event.Type == watch.Added) != (len(told) == 1) {
				return fmt.Errorf("%v is no life", told)
			}
			if event.Type == watch.Deleted {
				if !sawChange {
					return fmt.Errorf("the update was not among %v", told)
				}
				return nil
			}
		}
	}
}

func speaksProtobuf(_ context.Context, w *world) error {
	posts := w.wire.of("POST", "/namespaces/"+w.namespace+"/", "")
	if len(posts) == 0 {
		return fmt.Errorf("nothing was created")
	}
	all := append(posts, w.wire.of("PUT", "/namespaces/"+w.namespace+"/", "")...)
	for _, each := range all {
		if each.status >= 400 {
			continue // A Status may be JSON: clients take both.
		}
		if each.sent != protobuf || each.received != protobuf {
			return fmt.Errorf("%s %s was sent as %s and answered as %s with status %d", each.method, each.path, each.sent, each.received, each.status)
		}
	}
	for _, each := range w.wire.of("GET", "/namespaces/"+w.namespace+"/", "watch=true") {
		// Framed protobuf or JSON, as the server likes; the client takes what the header says.
		if !strings.HasPrefix(each.received, protobuf+";stream=watch") && each.received != "application/json" {
			return fmt.Errorf("the watch of %s was answered as %s", each.path, each.received)
		}
	}
	return nil
}

func appliesServerSide(ctx context.Context, w *world) error {
	client := w.client.CoreV1().ConfigMaps(w.namespace)
	options := metav1.ApplyOptions{FieldManager: "one"}
	first, err := client.Apply(ctx, applycorev1.ConfigMap("applied", w.namespace).WithData(map[string]string{"a": "1", "b": "1"}), options)
	if err != nil {
		return err
	}
	again, err := client.Apply(ctx, applycorev1.ConfigMap("applied", w.namespace).WithData(map[string]string{"a": "1", "b": "1"}), options)
	if err != nil {
		return err
	}
	if again.ResourceVersion != first.ResourceVersion {
		return fmt.Errorf("the same again made a new resourceVersion")
	}
	less, err := client.Apply(ctx, applycorev1.ConfigMap("applied", w.namespace).WithData(map[string]string{"a": "1"}), options)
	if err != nil {
		return err
	}
	if len(less.Data) != 1 {
		return fmt.Errorf("what is applied no more is still there: %v", less.Data)
	}
	other := applycorev1.ConfigMap("applied", w.namespace).WithData(map[string]string{"a": "2"})
	if _, err := client.Apply(ctx, other, metav1.ApplyOptions{FieldManager: "two"}); !apierrors.IsConflict(err) {
		return fmt.Errorf("a field of another manager: %v", err)
	}
	taken, err := client.Apply(ctx, other, metav1.ApplyOptions{FieldManager: "two", Force: true})
	if err != nil {
		return err
	}
	if taken.Data["a"] != "2" {
		return fmt.Errorf("by force, it is %q", taken.Data["a"])
	}
	return client.Delete(ctx, "applied", metav1.DeleteOptions{})
}

func listsInPages(ctx context.Context, w *world) error {
	client := w.client.CoreV1().ConfigMaps(w.namespace)
	const count = 25
	for index := range count {
		object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("page-%02d", index), Labels: map[string]string{"paged": "yes"}}}
		if _, err := client.Create(ctx, object, metav1.CreateOptions{}); err != nil {
			return err
		}
	}
	pages := 0
	list := pager.New(func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
		pages++
		return client.List(ctx, options)
	})
	list.PageSize = 10
	var names []string
	err := list.EachListItem(ctx, metav1.ListOptions{LabelSelector: "paged=yes"}, func(object runtime.Object) error {
		names = append(names, object.(*corev1.ConfigMap).Name)
		return nil
	})
	if err != nil {
		return err
	}
	if pages != 3 || len(names) != count || names[0] != "page-00" || names[count-1] != "page-24" {
		return fmt.Errorf("%d pages with %v", pages, names)
	}
	return client.DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{LabelSelector: "paged=yes"})
}

func scales(ctx context.Context, w *world) error {
	client := w.client.AppsV1().Deployments(w.namespace)
	pods := map[string]string{"app": "scaled"}
	_, err := client.Create(ctx, &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "scaled"}, Spec: appsv1.DeploymentSpec{
		Replicas: ptr.To[int32](2),
		Selector: &metav1.LabelSelector{MatchLabels: pods},
		Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: pods}, Spec: podSpec()},
	}}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	available := func(wanted int32) error {
		return eventually(ctx, func() error {
			deployment, err := client.Get(ctx, "scaled", metav1.GetOptions{})
			if err == nil && (deployment.Status.AvailableReplicas != wanted || deployment.Status.Replicas != wanted) {
				err = fmt.Errorf("%d of %d replicas available, %d wanted", deployment.Status.AvailableReplicas, deployment.Status.Replicas, wanted)
			}
			return err
		})
	}
	if err := available(2); err != nil {
		return err
	}
	scale, err := client.GetScale(ctx, "scaled", metav1.GetOptions{})
	if err != nil {
		return err
	}
	if scale.Status.Selector != "app=scaled" {
		return fmt.Errorf("the scale's selector is %q", scale.Status.Selector)
	}
	wanted := &autoscalingv1.Scale{ObjectMeta: scale.ObjectMeta, Spec: autoscalingv1.ScaleSpec{Replicas: 1}}
	// The controller writes to the Deployment's status meanwhile.
	wanted.ResourceVersion = ""
	if _, err := client.UpdateScale(ctx, "scaled", wanted, metav1.UpdateOptions{}); err != nil {
		return err
	}
	if err := available(1); err != nil {
		return err
	}
	foreground := metav1.DeletePropagationForeground
	if err := client.Delete(ctx, "scaled", metav1.DeleteOptions{PropagationPolicy: &foreground}); err != nil {
		return err
	}
	return eventually(ctx, func() error {
		list, err := w.client.CoreV1().Pods(w.namespace).List(ctx, metav1.ListOptions{LabelSelector: "app=scaled"})
		if err == nil && len(list.Items) > 0 {
			err = fmt.Errorf("%d of its Pods are left", len(list.Items))
		}
		return err
	})
}

func refusesTyped(ctx context.Context, w *world) error {
	client := w.client.CoreV1().ConfigMaps(w.namespace)
	if _, err := client.Get(ctx, "missing", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		return fmt.Errorf("a missing object: %v", err)
	}
	_, err := client.Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "Not_A_Name"}}, metav1.CreateOptions{})
	if !apierrors.IsInvalid(err) {
		return fmt.Errorf("a bad name: %v", err)
	}
	_, err = client.Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "dry"}}, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
	if err != nil {
		return err
	}
	if _, err := client.Get(ctx, "dry", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		return fmt.Errorf("a dry run wrote: %v", err)
	}
	_, err = client.List(ctx, metav1.ListOptions{FieldSelector: "spec.colour=blue"})
	if !apierrors.IsBadRequest(err) {
		return fmt.Errorf("a field selector that is not known: %v", err)
	}
	_, err = client.Watch(ctx, metav1.ListOptions{ResourceVersion: "1"})
	if err != nil && !apierrors.IsResourceExpired(err) && !apierrors.IsGone(err) {
		return fmt.Errorf("a watch from long ago: %v", err)
	}
	return nil
}
