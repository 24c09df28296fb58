package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/tools/cache"
)

func informerChecks() []check {
	return []check{
		{"informers: shared, filled by a watch list", sharedInformers},
		{"informers: dynamic and metadata", genericInformers},
	}
}

func compareVersions(a, b string) (int, error) {
	if a == "" {
		return -1, nil
	}
	return resourceversion.CompareResourceVersion(a, b)
}

// tally counts what an informer told about each object, and notes what cannot be.
type tally struct {
	mutex                   sync.Mutex
	added, updated, deleted map[string]int
	last                    map[string]string
	complaints              []error
}

func newTally() *tally {
	return &tally{added: map[string]int{}, updated: map[string]int{}, deleted: map[string]int{}, last: map[string]string{}}
}

func (t *tally) OnAdd(object any, _ bool) { t.note(t.added, object) }

func (t *tally) OnUpdate(_, object any) { t.note(t.updated, object) }

func (t *tally) OnDelete(object any) {
	if unknown, missed := object.(cache.DeletedFinalStateUnknown); missed {
		t.mutex.Lock()
		defer t.mutex.Unlock()
		t.complaints = append(t.complaints, fmt.Errorf("the deletion of %s was missed", unknown.Key))
		return
	}
	t.note(t.deleted, object)
}

func (t *tally) note(kind map[string]int, object any) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	item := object.(metav1.Object)
	name, version := item.GetName(), item.GetResourceVersion()
	kind[name]++
	if order, err := compareVersions(t.last[name], version); err != nil || order > 0 {
		t.complaints = append(t.complaints, fmt.Errorf("%s: %s after %s", name, version, t.last[name]))
	}
	t.last[name] = version
}

const (
	before  = 40
	writers = 8
	each    = 25
)

// sharedInformers starts informers over objects that exist, lets several writers loose, and compares with a list.
func sharedInformers(ctx context.Context, w *world) error {
	client := w.client.CoreV1().ConfigMaps(w.namespace)
	for index := range before {
		object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("before-%d", index)}}
		if _, err := client.Create(ctx, object, metav1.CreateOptions{}); err != nil {
			return err
		}
	}
	factory := informers.NewSharedInformerFactoryWithOptions(w.client, 0, informers.WithNamespace(w.namespace))
	configMaps := factory.Core().V1().ConfigMaps()
	told := newTally()
	if _, err := configMaps.Informer().AddEventHandler(told); err != nil {
		return err
	}
	factory.Core().V1().Pods().Informer()
	factory.Apps().V1().Deployments().Informer()
	running, stop := context.WithCancel(ctx)
	defer factory.Shutdown()
	defer stop()
	factory.Start(running.Done())
	for kind, synced := range factory.WaitForCacheSync(ctx.Done()) {
		if !synced {
			return fmt.Errorf("%v did not sync", kind)
		}
	}
	if streams := w.wire.of("GET", "/configmaps", "sendInitialEvents=true"); len(streams) == 0 || streams[0].status != 200 {
		return fmt.Errorf("no watch list was answered: %v", streams)
	}
	if found, _ := configMaps.Lister().List(labels.Everything()); len(found) < before {
		return fmt.Errorf("synced with %d of %d objects", len(found), before)
	}
	if err := writeConcurrently(ctx, w); err != nil {
		return err
	}
	if err := eventually(ctx, func() error { return sameAsList(ctx, w, configMaps.Lister().ConfigMaps(w.namespace).List) }); err != nil {
		return err
	}
	stop()
	told.mutex.Lock()
	defer told.mutex.Unlock()
	for writer := range writers {
		for index := range each {
			name := fmt.Sprintf("writer-%d-%d", writer, index)
			if told.added[name] != 1 || told.updated[name] != 1 || told.deleted[name] != index%2 {
				return fmt.Errorf("%s was added %d times, updated %d, deleted %d", name, told.added[name], told.updated[name], told.deleted[name])
			}
		}
	}
	return errors.Join(told.complaints...)
}

// writeConcurrently creates and updates objects, and deletes every second one.
func writeConcurrently(ctx context.Context, w *world) error {
	client := w.client.CoreV1().ConfigMaps(w.namespace)
	failures := make(chan error, writers)
	for writer := range writers {
		go func() {
			failures <- func() error {
				for index := range each {
					name := fmt.Sprintf("writer-%d-%d", writer, index)
					made, err := client.Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{})
					if err != nil {
						return err
					}
					made.Data = map[string]string{"written": "twice"}
					if _, err := client.Update(ctx, made, metav1.UpdateOptions{}); err != nil {
						return err
					}
					if index%2 == 1 {
						if err := client.Delete(ctx, name, metav1.DeleteOptions{}); err != nil {
							return err
						}
					}
				}
				return nil
			}()
		}()
	}
	var all []error
	for range writers {
		all = append(all, <-failures)
	}
	return errors.Join(all...)
}

func sameAsList(ctx context.Context, w *world, cached func(labels.Selector) ([]*corev1.ConfigMap, error)) error {
	list, err := w.client.CoreV1().ConfigMaps(w.namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	have, err := cached(labels.Everything())
	if err != nil {
		return err
	}
	byName := map[string]*corev1.ConfigMap{}
	for _, object := range have {
		byName[object.Name] = object
	}
	for _, object := range list.Items {
		if !equality.Semantic.DeepEqual(byName[object.Name], &object) {
			return fmt.Errorf("%s is %v instead of %v", object.Name, byName[object.Name], object)
		}
	}
	if len(have) != len(list.Items) {
		return fmt.Errorf("%d objects instead of %d", len(have), len(list.Items))
	}
	return nil
}

func genericInformers(ctx context.Context, w *world) error {
	dynamicClient, err := dynamic.NewForConfig(w.config)
	if err != nil {
		return err
	}
	metadataClient, err := metadata.NewForConfig(w.config)
	if err != nil {
		return err
	}
	dynamicFactory := dynamicinformer.NewFilteredDynamicSharedInformerFactory(dynamicClient, 0, w.namespace, nil)
	metadataFactory := metadatainformer.NewFilteredSharedInformerFactory(metadataClient, 0, w.namespace, nil)
	stores := []cache.SharedIndexInformer{
		dynamicFactory.ForResource(configMapResource).Informer(),
		metadataFactory.ForResource(configMapResource).Informer(),
	}
	running, stop := context.WithCancel(ctx)
	defer dynamicFactory.Shutdown()
	defer metadataFactory.Shutdown()
	defer stop()
	dynamicFactory.Start(running.Done())
	metadataFactory.Start(running.Done())
	for _, each := range stores {
		if !cache.WaitForCacheSync(ctx.Done(), each.HasSynced) {
			return errors.New("an informer did not sync")
		}
	}
	client := w.client.CoreV1().ConfigMaps(w.namespace)
	if _, err := client.Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "late"}}, metav1.CreateOptions{}); err != nil {
		return err
	}
	started := time.Now()
	for _, each := range stores {
		if err := eventually(ctx, func() error {
			if _, found, _ := each.GetStore().GetByKey(w.namespace + "/late"); !found {
				return fmt.Errorf("nothing was told for %s", time.Since(started))
			}
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}
