package handlers

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/labstack/echo/v4"

	"shopwright.dev/shopwright/handlers/api"
	"shopwright.dev/shopwright/handlers/api/v1"
	"shopwright.dev/shopwright/handlers/reply"
	"shopwright.dev/shopwright/handlers/signin"
	"shopwright.dev/shopwright/views"
)

// showReference shows the API reference.
func (a *App) showReference(c echo.Context) error {
	shell, err := a.shell(c.Request().Context(), signin.VisitorOf(c), "API", views.PlaceAccount)
	if err != nil {
		return err
	}
	r := reference{document: a.api.Document(), base: a.BaseURL + v1.Prefix}
	return reply.Render(c, http.StatusOK, views.Reference(views.ReferencePage{Shell: shell, Base: r.base, Groups: r.groups()}))
}

// reference renders the OpenAPI document of the API at the base URL.
type reference struct {
	document *huma.OpenAPI
	base     string
}

// groups returns the operations by tag, in the order of the tags in the document.
func (r reference) groups() []views.OperationGroup {
	var groups []views.OperationGroup
	for _, tag := range r.document.Tags {
		group := views.OperationGroup{Name: tag.Name, Text: tag.Description}
		for _, path := range slices.Sorted(maps.Keys(r.document.Paths)) {
			item := r.document.Paths[path]
			for _, op := range []*huma.Operation{item.Get, item.Post, item.Put, item.Delete} {
				if op != nil && op.Tags[0] == tag.Name {
					group.Operations = append(group.Operations, r.explain(op))
				}
			}
		}
		groups = append(groups, group)
	}
	return groups
}

func (r reference) explain(op *huma.Operation) views.Operation {
	shown := views.Operation{
		ID: op.OperationID, Method: op.Method, Path: v1.Prefix + op.Path, Summary: op.Summary, Text: op.Description,
		Scopes: op.Security[0][api.SecurityScheme], Status: op.DefaultStatus,
	}
	for _, p := range op.Parameters {
		if p.Name != "Accept" {
			shown.Parameters = append(shown.Parameters, views.Parameter{
				Name: p.Name, In: p.In, Kind: r.kind(p.Schema), Required: p.Required, Text: cmp.Or(p.Description, p.Schema.Description),
			})
		}
	}
	shown.Request = fmt.Sprintf("curl -H \"Authorization: Bearer $SHOPWRIGHT_TOKEN\" %s\"%s%s\"", method(op.Method), r.base, pathExample(op))
	if op.RequestBody != nil {
		schema := op.RequestBody.Content["application/json"].Schema
		shown.Body = r.fields(schema)
		shown.Request += " \\\n  -H 'Content-Type: application/json' -d '" + compact(r.example(schema, true, 0)) + "'"
	}
	if answer := op.Responses[strconv.Itoa(op.DefaultStatus)]; answer != nil && answer.Content["application/json"] != nil {
		schema := answer.Content["application/json"].Schema
		shown.Answer, shown.Example = r.fields(schema), indented(r.example(schema, false, 0))
	}
	return shown
}

func method(name string) string {
	if name == "GET" {
		return ""
	}
	return "-X " + name + " "
}

// pathExample returns the path with the parameters that it requires, for use between double quotes.
func pathExample(op *huma.Operation) string {
	path, query := op.Path, ""
	for _, p := range op.Parameters {
		if p.In == "path" {
			path = strings.ReplaceAll(path, "{"+p.Name+"}", "$"+strings.ToUpper(p.Name))
		} else if p.In == "query" && p.Required {
			query = "?" + p.Name + "=1"
		}
	}
	return path + query
}

func (r reference) resolve(s *huma.Schema) *huma.Schema {
	if s.Ref != "" {
		return r.document.Components.Schemas.SchemaFromRef(s.Ref)
	}
	return s
}

// fields returns the fields of an object, required ones first.
func (r reference) fields(s *huma.Schema) (all []views.Parameter) {
	s = r.resolve(s)
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		field := s.Properties[name]
		all = append(all, views.Parameter{
			Name: name, Kind: r.kind(field), Required: slices.Contains(s.Required, name), Text: cmp.Or(field.Description, r.resolve(field).Description),
		})
	}
	slices.SortStableFunc(all, func(x, y views.Parameter) int {
		switch {
		case x.Required == y.Required:
			return 0
		case x.Required:
			return -1
		default:
			return 1
		}
	})
	for i := range all {
		all[i].Required = all[i].Required && len(all) < 10 // in a long object the mark would only be noise
	}
	return all
}

// kind describes the values of a schema in a few words.
func (r reference) kind(s *huma.Schema) string {
	full := r.resolve(s)
	switch {
	case len(full.Enum) > 0:
		var values []string
		for _, v := range full.Enum {
			values = append(values, fmt.Sprint(v))
		}
		return strings.Join(values, " | ")
	case full.Type == huma.TypeArray:
		return "list of " + r.kind(full.Items)
	case s.Ref != "":
		return s.Ref[strings.LastIndex(s.Ref, "/")+1:]
	case full.Format == "date-time":
		return "time"
	}
	return full.Type
}

// example returns a value of the schema: its own example if it has one, or else a plain value.
func (r reference) example(s *huma.Schema, onlyRequired bool, depth int) any {
	s = r.resolve(s)
	switch {
	case len(s.Examples) > 0:
		return s.Examples[0]
	case len(s.Enum) > 0:
		return s.Enum[0]
	case s.Type == huma.TypeArray && depth < 6:
		return []any{r.example(s.Items, false, depth+1)}
	case s.Type == huma.TypeObject && depth < 6:
		object := map[string]any{}
		for name, field := range s.Properties {
			if !onlyRequired || slices.Contains(s.Required, name) {
				object[name] = r.example(field, false, depth+1)
			}
		}
		return object
	}
	switch s.Type {
	case huma.TypeInteger, huma.TypeNumber:
		return 1
	case huma.TypeBoolean:
		return true
	}
	if s.Format == "date-time" {
		return "2026-01-02T15:04:05Z"
	}
	return "…"
}

func compact(v any) string {
	text, _ := json.Marshal(v) // plain values: never fails
	return strings.NewReplacer(`\u0026`, "&", "'", "").Replace(string(text))
}

func indented(v any) string {
	text, _ := json.MarshalIndent(v, "", "  ") // plain values: never fails
	return strings.ReplaceAll(string(text), `\u0026`, "&")
}
