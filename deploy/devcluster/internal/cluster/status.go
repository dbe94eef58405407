package cluster

import "context"

// Status is what a cluster looks like from outside.
type Status struct {
	// Ready says that every process runs and the API server answers.
	Ready bool
	// Components are the cluster's processes; one that does not run has PID 0.
	Components []Component
}

// Component is one process of a cluster.
type Component struct {
	Name        string
	PID         int
	MemoryBytes int64
}

// Status looks at the cluster.
func (c *Cluster) Status(ctx context.Context) (Status, error) {
	status := Status{Ready: c.answers(ctx)}
	for _, name := range c.components() {
		component := Component{Name: name}
		running, err := c.registry().Running(name)
		if err != nil {
			return Status{}, err
		}
		for _, p := range running {
			component.PID, component.MemoryBytes = p.PID, p.MemoryBytes()
		}
		status.Components = append(status.Components, component)
	}
	return status, nil
}
