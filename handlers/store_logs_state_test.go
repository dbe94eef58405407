package handlers

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"shopwright.dev/shopwright/provisioner"
	"shopwright.dev/shopwright/provisioner/kube"
	"shopwright.dev/shopwright/views"
)

func TestLogStateSaysWhy(t *testing.T) {
	t.Parallel()
	running, over := kube.State{Kind: "running"}, kube.State{Kind: "terminated", Reason: "Error", ExitCode: 1, Message: "no\x1b[31m disk"}
	for name, c := range map[string]struct {
		container kube.Container
		previous  bool
		tone      views.Tone
		want      string
	}{
		"running":                 {container: kube.Container{State: running}},
		"running again":           {kube.Container{State: running, Previous: over}, true, views.TonePlain, "This is the log before the last restart. Exit code 1: Error: no disk"},
		"ended":                   {kube.Container{State: over}, false, views.TonePlain, "The container has exited. Exit code 1: Error: no disk"},
		"not scheduled":           {kube.Container{State: kube.State{Kind: "waiting"}}, false, views.TonePlain, "The container has not started. 0/2 nodes are available"},
		"being made":              {kube.Container{State: kube.State{Kind: "waiting", Reason: "ContainerCreating"}}, false, views.TonePlain, "The container has not started. 0/2 nodes are available"},
		"without an image":        {kube.Container{State: kube.State{Kind: "waiting", Reason: "ImagePullBackOff", Message: "not found"}}, false, views.ToneBad, "The container can’t start. ImagePullBackOff: not found"},
		"crashing again and over": {kube.Container{State: kube.State{Kind: "waiting", Reason: "CrashLoopBackOff", Message: "back-off 20s"}, Previous: over}, false, views.ToneBad, "The container keeps crashing. CrashLoopBackOff: back-off 20s"},
	} {
		c.container.Name = "web"
		pods := []kube.Pod{{Name: "web-0", Message: "0/2 nodes are available", Containers: []kube.Container{c.container}}}
		got := logState(pods, true, logQuery{Pod: "web-0", Container: "web", Previous: c.previous})
		if text := got.Title + " " + got.Message; got.Tone != c.tone || text != c.want && (c.want != "" || text != " ") {
			t.Errorf("%s: %s %q, want %s %q", name, got.Tone, text, c.tone, c.want)
		}
	}
	if got := logState(nil, true, logQuery{Pod: "web-0", Container: "web"}); got.Title != "This pod no longer exists." {
		t.Errorf("a pod that is gone: %+v", got)
	}
	if got := logState(nil, false, logQuery{}); got.Title != "The cluster is unreachable." {
		t.Errorf("without a cluster: %+v", got)
	}
}

func TestSilenceHasItsReason(t *testing.T) {
	t.Parallel()
	seen := map[string]error{}
	for _, err := range []error{
		nil, provisioner.ErrNoContainer, provisioner.ErrNotStarted, provisioner.ErrNoSecrets, provisioner.ErrUnreachable,
		&provisioner.LogRefusal{Reason: provisioner.ErrNoLog, Said: "no\x1b[1m file"}, &provisioner.LogRefusal{Reason: provisioner.ErrLogRefused},
	} {
		text := silence(err, false)
		if before, twice := seen[text]; twice {
			t.Errorf("%v and %v are both told as %q", before, err, text)
		}
		seen[text] = err
	}
	if _, told := seen["The node didn’t return this log: no file"]; !told {
		t.Errorf("what the node said is not told: %v", seen)
	}
	if got := silence(errors.New("secret detail"), false); got != silence(provisioner.ErrUnreachable, false) {
		t.Errorf("an error of ours is told: %q", got)
	}
}

func TestTheFirstThatRunsIsShown(t *testing.T) {
	t.Parallel()
	waiting, running, over := kube.State{Kind: "waiting"}, kube.State{Kind: "running"}, kube.State{Kind: "terminated"}
	setup := kube.Pod{Name: "setup", Containers: []kube.Container{{Name: "setup", State: over}}}
	web := kube.Pod{Name: "web", Containers: []kube.Container{{Name: "init", Init: true, State: running}, {Name: "web", State: waiting}}}
	database := kube.Pod{Name: "database", Containers: []kube.Container{{Name: "database", State: running}}}
	young := kube.Pod{Name: "young", Containers: []kube.Container{{Name: "young", State: waiting}}}
	for want, pods := range map[string][]kube.Pod{
		"database/database": {setup, web, young, database},
		"web/init":          {young, web},
		"setup/setup":       {young, setup},
		"young/young":       {young},
		"/":                 nil,
	} {
		if got := (logQuery{}).chosen(pods).source(); got != want {
			t.Errorf("%s is shown, not %s", got, want)
		}
	}
	asked := logQuery{Pod: "gone", Container: "gone"}
	if got := asked.chosen([]kube.Pod{database}); got != asked {
		t.Errorf("%+v is shown to who asks for another", got)
	}
}

// Who goes on from any line of a log gets all that come after it, and none twice, also when
// many have the same time.
func TestPositionsTellLinesApart(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		steps := rapid.SliceOfN(rapid.IntRange(0, 2), 1, 30).Draw(t, "steps")
		at, times := time.Unix(1_790_000_000, 999), []time.Time{}
		for _, step := range steps {
			at = at.Add(time.Duration(step))
			times = append(times, at)
		}
		last := rapid.IntRange(-1, len(times)-1).Draw(t, "last")
		var known position
		for _, at := range times[:last+1] {
			known.add(at)
		}
		known = parsePosition(known.String())
		var seen position
		for i, at := range times {
			if seen.add(at); seen.after(known) != (i > last) {
				t.Fatalf("line %d, after line %d: %s after %s", i, last, seen, known)
			}
		}
	})
	for _, text := range []string{"", "x", "1-", "-1", "1-0", "1--1", "99999999999999999999-1", "-5-1"} {
		if got := parsePosition(text); got != (position{}) {
			t.Errorf("%q is %+v", text, got)
		}
	}
}
