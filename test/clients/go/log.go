package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"regexp"
	"sync"

	"k8s.io/client-go/util/consistencydetector"
	"k8s.io/klog/v2"
)

// clientLog keeps what client-go logs: some of its complaints are nowhere else.
type clientLog struct {
	mutex sync.Mutex
	text  bytes.Buffer
}

func (l *clientLog) Write(text []byte) (int, error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.text.Write(text)
}

// keepLog takes client-go's log from standard error, at the level at which reflectors say that they fall back to lists.
func keepLog() *clientLog {
	flags := flag.NewFlagSet("klog", flag.PanicOnError)
	klog.InitFlags(flags)
	for name, value := range map[string]string{"logtostderr": "false", "alsologtostderr": "false", "stderrthreshold": "FATAL", "v": "4"} {
		if err := flags.Set(name, value); err != nil {
			panic(err)
		}
	}
	log := &clientLog{}
	klog.SetOutput(log)
	return log
}

var (
	fallback  = regexp.MustCompile(`.*(?:Falling back to regular list|failed to list data from the server|Failed to watch).*`)
	compared  = regexp.MustCompile(`data consistency check for`)
	populated = regexp.MustCompile(`Caches populated`)
)

// usesWatchLists complains about a reflector that did without a watch list, or was not compared with a list where it should be.
func (l *clientLog) usesWatchLists(context.Context, *world) error {
	detecting := consistencydetector.IsDataConsistencyDetectionForWatchListEnabled()
	klog.Flush()
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if lines := fallback.FindAllString(l.text.String(), -1); lines != nil {
		return fmt.Errorf("%d complaints, such as %s", len(lines), lines[0])
	}
	filled, checked := len(populated.FindAllIndex(l.text.Bytes(), -1)), len(compared.FindAllIndex(l.text.Bytes(), -1))
	if filled == 0 || (detecting && checked < filled) {
		return fmt.Errorf("%d caches were filled, %d compared with a list", filled, checked)
	}
	return nil
}
