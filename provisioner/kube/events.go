package kube

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/cache"
)

// Event is what some part of Kubernetes reported about an object.
type Event struct {
	Warning bool
	Object  string // kind/name, such as pod/mariadb-0
	Reason  string
	Message string
	Count   int32
	First   time.Time
	Last    time.Time
}

// Events lists what was reported in the namespace, newest first.
func (c *Client) Events(ctx context.Context, namespace string) ([]Event, error) {
	list, err := c.set.CoreV1().Events(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("list events in %s: %w", namespace, err)
	}
	events := make([]Event, 0, len(list.Items))
	for i := range list.Items {
		events = append(events, EventOf(&list.Items[i]))
	}
	sortEvents(events)
	return events, nil
}

// EventWatch follows the events of one namespace.
type EventWatch struct {
	informer cache.SharedIndexInformer
	changed  Signals
	running  sync.WaitGroup
	cancel   context.CancelFunc
}

// WatchEvents follows the events of the namespace until Close.
func (c *Client) WatchEvents(namespace string) (*EventWatch, error) {
	set, err := c.throttled()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	events := kind{set.CoreV1().RESTClient(), "events", &corev1.Event{}}
	w := &EventWatch{informer: events.informer(namespace, anything), cancel: cancel}
	tell := func(any) { w.changed.Send("") }
	_, err = w.informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: tell, UpdateFunc: func(_, object any) { tell(object) }, DeleteFunc: tell,
	})
	if err != nil {
		cancel()
		return nil, fmt.Errorf("watch events in %s: %w", namespace, err)
	}
	w.running.Go(func() { runInformers(ctx, func() {}, w.informer) })
	return w, nil
}

// Close ends the watch.
func (w *EventWatch) Close() {
	w.cancel()
	w.running.Wait()
}

// Subscribe returns a channel that is signalled when events come, and a function that ends
// it.
func (w *EventWatch) Subscribe() (changed <-chan struct{}, cancel func()) {
	return w.changed.Subscribe("")
}

// Events returns those that are known now, newest first.
func (w *EventWatch) Events() []Event {
	objects := w.informer.GetStore().List()
	events := make([]Event, 0, len(objects))
	for _, object := range objects {
		events = append(events, EventOf(object.(*corev1.Event)))
	}
	sortEvents(events)
	return events
}

// EventOf reads an event of the API.
func EventOf(e *corev1.Event) Event {
	event := Event{
		Warning: e.Type == corev1.EventTypeWarning,
		Object:  strings.ToLower(e.InvolvedObject.Kind) + "/" + e.InvolvedObject.Name,
		Reason:  e.Reason, Message: e.Message, Count: max(e.Count, 1),
		First: e.FirstTimestamp.Time, Last: e.LastTimestamp.Time,
	}
	if e.Series != nil {
		event.Count, event.Last = e.Series.Count, e.Series.LastObservedTime.Time
	}
	if event.First.IsZero() { // reporters of events.k8s.io/v1 set only this one
		event.First = cmp.Or(e.EventTime.Time, e.CreationTimestamp.Time)
	}
	if event.Last.IsZero() {
		event.Last = event.First
	}
	return event
}

func sortEvents(events []Event) {
	slices.SortFunc(events, func(a, b Event) int {
		return cmp.Or(b.Last.Compare(a.Last), strings.Compare(a.Object, b.Object), strings.Compare(a.Reason, b.Reason))
	})
}
