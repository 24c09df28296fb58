package main

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/restmapper"
)

var (
	configMapResource = corev1.SchemeGroupVersion.WithResource("configmaps")
	crdResource       = schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}
	boatResource      = schema.GroupVersionResource{Group: "clients.example.com", Version: "v1", Resource: "boats"}
)

func genericChecks() []check {
	return []check{
		{"dynamic: a built-in kind", dynamicConfigMap},
		{"dynamic: a kind of its own", dynamicCustomResource},
		{"metadata: list, watch, patch and delete", metadataOnly},
	}
}

func discovers(_ context.Context, w *world) error {
	version, err := w.client.Discovery().ServerVersion()
	if err != nil {
		return err
	}
	if version.Major != "1" || version.Minor != "36" {
		return fmt.Errorf("version %s.%s", version.Major, version.Minor)
	}
	groups, err := restmapper.GetAPIGroupResources(w.client.Discovery())
	if err != nil {
		return err
	}
	mapper := restmapper.NewDiscoveryRESTMapper(groups)
	mapping, err := mapper.RESTMapping(schema.GroupKind{Group: "apps", Kind: "Deployment"})
	if err != nil {
		return err
	}
	if mapping.Resource.Resource != "deployments" || mapping.Scope.Name() != meta.RESTScopeNameNamespace {
		return fmt.Errorf("Deployments are %v", mapping)
	}
	paths, err := w.client.Discovery().OpenAPIV3().Paths()
	if err != nil {
		return err
	}
	apps, ok := paths["apis/apps/v1"]
	if !ok {
		return fmt.Errorf("OpenAPI knows no apis/apps/v1")
	}
	_, err = apps.Schema("application/json")
	return err
}

func configMap(name string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap",
		"metadata": map[string]any{"name": name, "labels": map[string]any{"generic": "yes"}},
		"data":     map[string]any{"key": "value"},
	}}
}

func dynamicConfigMap(ctx context.Context, w *world) error {
	client, err := dynamic.NewForConfig(w.config)
	if err != nil {
		return err
	}
	return dynamicLife(ctx, client.Resource(configMapResource).Namespace(w.namespace), configMap("dynamic"), "data", "key")
}

// dynamicLife creates, reads, changes, lists, watches and deletes an object without knowing its type.
func dynamicLife(ctx context.Context, client dynamic.ResourceInterface, object *unstructured.Unstructured, path ...string) error {
	list, err := client.List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	watcher, err := client.Watch(ctx, metav1.ListOptions{ResourceVersion: list.GetResourceVersion(), FieldSelector: "metadata.name=" + object.GetName()})
	if err != nil {
		return err
	}
	defer watcher.Stop()
	made, err := client.Create(ctx, object, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	if err := unstructured.SetNestedField(made.Object, "changed", path...); err != nil {
		return err
	}
	if _, err := client.Update(ctx, made, metav1.UpdateOptions{}); err != nil {
		return err
	}
	patch := []byte(`{"metadata":{"annotations":{"patched":"yes"}}}`)
	patched, err := client.Patch(ctx, object.GetName(), types.MergePatchType, patch, metav1.PatchOptions{})
	if err != nil {
		return err
	}
	if value, _, _ := unstructured.NestedString(patched.Object, path...); value != "changed" || patched.GetAnnotations()["patched"] != "yes" {
		return fmt.Errorf("after update and patch it is %v", patched.Object)
	}
	if err := client.Delete(ctx, object.GetName(), metav1.DeleteOptions{}); err != nil {
		return err
	}
	return expectEvents(ctx, watcher, watch.Added, watch.Modified, watch.Modified, watch.Deleted)
}

func expectEvents(ctx context.Context, watcher watch.Interface, wanted ...watch.EventType) error {
	for index, each := range wanted {
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d events instead of %v", index, wanted)
		case event := <-watcher.ResultChan():
			if event.Type != each {
				return fmt.Errorf("event %d is %s %v instead of %s", index, event.Type, event.Object, each)
			}
		}
	}
	return nil
}

func dynamicCustomResource(ctx context.Context, w *world) error {
	client, err := dynamic.NewForConfig(w.config)
	if err != nil {
		return err
	}
	crd := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
		"metadata": map[string]any{"name": "boats.clients.example.com"},
		"spec": map[string]any{
			"group": "clients.example.com", "scope": "Namespaced",
			"names": map[string]any{"plural": "boats", "singular": "boat", "kind": "Boat", "listKind": "BoatList"},
			"versions": []any{map[string]any{
				"name": "v1", "served": true, "storage": true,
				"schema": map[string]any{"openAPIV3Schema": map[string]any{"type": "object", "properties": map[string]any{
					"spec": map[string]any{"type": "object", "properties": map[string]any{
						"colour": map[string]any{"type": "string"},
						"length": map[string]any{"type": "integer", "format": "int64"},
					}},
				}}},
			}},
		},
	}}
	crds := client.Resource(crdResource)
	if _, err := crds.Create(ctx, crd, metav1.CreateOptions{}); err != nil {
		return err
	}
	if err := eventually(ctx, func() error { return established(ctx, crds, crd.GetName()) }); err != nil {
		return err
	}
	const length = int64(9_007_199_254_740_993) // 2^53 + 1: no double holds it
	boat := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "clients.example.com/v1", "kind": "Boat",
		"metadata": map[string]any{"name": "binnacle"},
		"spec":     map[string]any{"colour": "blue", "length": length, "wheels": int64(4)},
	}}
	boats := client.Resource(boatResource).Namespace(w.namespace)
	made, err := boats.Create(ctx, boat.DeepCopy(), metav1.CreateOptions{})
	if err != nil {
		return err
	}
	if got, _, _ := unstructured.NestedInt64(made.Object, "spec", "length"); got != length {
		return fmt.Errorf("a large number came back as %d", got)
	}
	if _, found, _ := unstructured.NestedInt64(made.Object, "spec", "wheels"); found {
		return fmt.Errorf("a field that the schema does not know was kept")
	}
	if err := boats.Delete(ctx, boat.GetName(), metav1.DeleteOptions{}); err != nil {
		return err
	}
	if err := dynamicLife(ctx, boats, boat, "spec", "colour"); err != nil {
		return err
	}
	if err := crds.Delete(ctx, crd.GetName(), metav1.DeleteOptions{}); err != nil {
		return err
	}
	return eventually(ctx, isGone(func() error {
		_, err := crds.Get(ctx, crd.GetName(), metav1.GetOptions{})
		return err
	}))
}

func established(ctx context.Context, crds dynamic.ResourceInterface, name string) error {
	crd, err := crds.Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	conditions, _, _ := unstructured.NestedSlice(crd.Object, "status", "conditions")
	for _, each := range conditions {
		if condition, ok := each.(map[string]any); ok && condition["type"] == "Established" && condition["status"] == "True" {
			return nil
		}
	}
	return fmt.Errorf("%s is not established: %v", name, conditions)
}

func metadataOnly(ctx context.Context, w *world) error {
	client, err := metadata.NewForConfig(w.config)
	if err != nil {
		return err
	}
	resources := client.Resource(configMapResource).Namespace(w.namespace)
	list, err := resources.List(ctx, metav1.ListOptions{LabelSelector: "generic=yes"})
	if err != nil {
		return err
	}
	watcher, err := resources.Watch(ctx, metav1.ListOptions{LabelSelector: "generic=yes", ResourceVersion: list.ResourceVersion})
	if err != nil {
		return err
	}
	defer watcher.Stop()
	full, err := dynamic.NewForConfig(w.config)
	if err != nil {
		return err
	}
	if _, err := full.Resource(configMapResource).Namespace(w.namespace).Create(ctx, configMap("metadata"), metav1.CreateOptions{}); err != nil {
		return err
	}
	partial, err := resources.Get(ctx, "metadata", metav1.GetOptions{})
	if err != nil {
		return err
	}
	if partial.Labels["generic"] != "yes" || partial.UID == "" {
		return fmt.Errorf("get answered %v", partial)
	}
	patched, err := resources.Patch(ctx, "metadata", types.MergePatchType, []byte(`{"metadata":{"annotations":{"a":"b"}}}`), metav1.PatchOptions{})
	if err != nil {
		return err
	}
	if patched.Annotations["a"] != "b" {
		return fmt.Errorf("patch answered %v", patched)
	}
	list, err = resources.List(ctx, metav1.ListOptions{LabelSelector: "generic=yes"})
	if err != nil {
		return err
	}
	if len(list.Items) != 1 || list.Items[0].Name != "metadata" {
		return fmt.Errorf("list answered %v", list.Items)
	}
	if err := resources.DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{LabelSelector: "generic=yes"}); err != nil {
		return err
	}
	return expectEvents(ctx, watcher, watch.Added, watch.Modified, watch.Deleted)
}
