package main

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// eventually asks until there is no complaint any more, or returns the last one when the time is up.
func eventually(ctx context.Context, complaint func() error) error {
	for {
		err := complaint()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("still, when time was up: %w", err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// isGone complains while get finds something.
func isGone(get func() error) func() error {
	return func() error {
		err := get()
		if apierrors.IsNotFound(err) {
			return nil
		}
		if err == nil {
			return fmt.Errorf("it is still there")
		}
		return err
	}
}
