package main_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"shopwright.dev/shopwright/handlers/api/v1"
	"shopwright.dev/shopwright/store"
)

// A server that is asked too often is asked again when it says, and not given up.
func TestWaitingOutlastsALimit(t *testing.T) {
	t.Parallel()
	id := uuid.NewString()
	var looked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		st := v1.Store{ID: id, Name: "Shop", Status: store.Provisioning}
		switch {
		case strings.HasSuffix(r.URL.Path, "/events"):
			w.WriteHeader(http.StatusNotFound)
		case r.Method == http.MethodPost:
			_ = json.NewEncoder(w).Encode(st)
		case looked.Add(1) == 1:
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
			_ = json.NewEncoder(w).Encode(v1.Problem{Status: http.StatusTooManyRequests, Code: "limited", Detail: "Too many."})
		default:
			st.Status = store.Ready
			_ = json.NewEncoder(w).Encode(v1.StoreDetail{Store: st})
		}
	}))
	defer server.Close()
	c := cli{t, []string{"HOME=" + t.TempDir(), "SHOPWRIGHT_URL=" + server.URL, "SHOPWRIGHT_TOKEN=x"}}
	began := time.Now()
	out, _ := c.want(0, "stores", "retry", id, "--wait")
	if took := time.Since(began); !strings.Contains(out, "ready") || looked.Load() != 2 || took < time.Second {
		t.Errorf("after %s and %d looks: %s", took, looked.Load(), out)
	}
}
