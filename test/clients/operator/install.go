package main

import (
	"context"
	_ "embed"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"
)

//go:embed crd.yaml
var definition []byte

// install applies the operator's CustomResourceDefinition, as every replica does when it starts, and waits until it is served.
func install(ctx context.Context, config *rest.Config) error {
	applier, err := client.New(config, client.Options{})
	if err != nil {
		return err
	}
	crd := &unstructured.Unstructured{}
	if err := yaml.Unmarshal(definition, &crd.Object); err != nil {
		return err
	}
	configuration := client.ApplyConfigurationFromUnstructured(crd)
	if err := applier.Apply(ctx, configuration, client.ForceOwnership, client.FieldOwner(fieldManager)); err != nil {
		return err
	}
	return wait.PollUntilContextTimeout(ctx, 50*time.Millisecond, 30*time.Second, true, func(ctx context.Context) (bool, error) {
		if err := applier.Get(ctx, client.ObjectKeyFromObject(crd), crd); err != nil {
			return false, err
		}
		conditions, _, err := unstructured.NestedSlice(crd.Object, "status", "conditions")
		for _, each := range conditions {
			if condition, ok := each.(map[string]any); ok && condition["type"] == "Established" && condition["status"] == "True" {
				return true, err
			}
		}
		return false, err
	})
}
