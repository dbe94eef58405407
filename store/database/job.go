package database

import (
	"slices"

	"shopwright.dev/shopwright/store"
)

// The columns of jobs, of which the second ones change while a job is done. What is worked is written
// with the renewals of its claim alone.
var (
	jobColumns = slices.Concat(jobFixed, jobChanging)
	jobFixed   = columns[store.Job]{
		{"id", func(j *store.Job) any { return &j.ID }},
		{"store_id", func(j *store.Job) any { return &j.StoreID }},
		{"cluster_id", func(j *store.Job) any { return &j.ClusterID }},
		{"kind", func(j *store.Job) any { return &j.Kind }},
		{"attempt", func(j *store.Job) any { return &j.Attempt }},
		{"worked", func(j *store.Job) any { return (*length)(&j.Worked) }},
	}
	jobChanging = columns[store.Job]{
		{"asked_by", func(j *store.Job) any { return &j.AskedBy.ID }},
		{"asked_by_name", func(j *store.Job) any { return &j.AskedBy.Name }},
		{"asked_at", func(j *store.Job) any { return at(&j.AskedAt) }},
		{"state", func(j *store.Job) any { return &j.State }},
		{"priority", func(j *store.Job) any { return &j.Priority }},
		{"due", func(j *store.Job) any { return at(&j.Due) }},
		{"args", func(j *store.Job) any { return document{&j.Args} }},
		{"step", func(j *store.Job) any { return &j.Step }},
		{"note", func(j *store.Job) any { return document{&j.Note} }},
		{"result", func(j *store.Job) any { return document{&j.Result} }},
		{"began_at", func(j *store.Job) any { return at(&j.BeganAt) }},
		{"ended_at", func(j *store.Job) any { return at(&j.EndedAt) }},
	}
)
