package engine

import (
	"fmt"
	"io/fs"
	"math"
	"strings"

	"golang.org/x/text/currency"
	"sigs.k8s.io/yaml"
)

// ReleaseValues are those of a store, for a chart that calls things as our charts do. What
// is said later wins: by the chart for the environment, by the template, by the operator for
// all stores of the engine, by Shopwright for this store and for drills.
func ReleaseValues(e Engine, s Spec) (map[string]any, error) {
	defaults, err := chartValues(e.Chart(), "values.yaml")
	if err != nil {
		return nil, err
	}
	file := "values-local.yaml"
	if s.Environment == "production" {
		file = "values-prod.yaml"
	}
	values, err := chartValues(e.Chart(), file)
	if err != nil {
		return nil, err
	}
	templates, err := e.Templates()
	if err != nil {
		return nil, err
	}
	template, _ := FindTemplate(templates, s.Template)
	for _, over := range []map[string]any{fromRegistry(s.ImageRegistry, defaults), priced(template.Values, s.Currency), s.Values[e.Name()], ofSite(s), ofMail(s.SMTP, defaults), ofStore(s), ofOwner(s.OwnerEmail, defaults), ofRestore(s.Restoring, defaults), ofDrill(s.Drill, defaults)} {
		values = merge(values, over)
	}
	return values, nil
}

// priced are the values of a template with prices that can be paid in the currency: nobody has half a yen.
func priced(values map[string]any, code string) map[string]any {
	unit, err := currency.ParseISO(code)
	shop, _ := values["shop"].(map[string]any)
	products, _ := shop["products"].([]any)
	if err != nil || len(products) == 0 {
		return values
	}
	decimals, _ := currency.Standard.Rounding(unit)
	parts := math.Pow10(decimals)
	rounded := make([]any, len(products))
	for i, product := range products {
		fields, _ := product.(map[string]any)
		price, _ := fields["price"].(float64)
		rounded[i] = merge(fields, map[string]any{"price": math.Round(price*parts) / parts})
	}
	return merge(values, map[string]any{"shop": map[string]any{"products": rounded}})
}

func ofStore(s Spec) map[string]any {
	values := map[string]any{
		"store":       map[string]any{"id": s.StoreID, "name": s.Name},
		"host":        s.Host,
		"url":         s.URL,
		"credentials": map[string]any{"existingSecret": s.SecretName},
	}
	shop := map[string]any{}
	if s.Country != "" {
		shop["country"] = s.Country
	}
	if s.Currency != "" {
		shop["currency"] = s.Currency
	}
	if len(shop) > 0 {
		values["shop"] = shop
	}
	if len(s.Images) > 0 {
		images := map[string]any{}
		for name, version := range s.Images {
			tag, digest, _ := strings.Cut(version, "@")
			images[name] = map[string]any{"tag": tag, "digest": digest}
		}
		values["images"] = images
	}
	return values
}

// ofSite holds what is set: the operator may have said the rest for one engine.
func ofSite(s Spec) map[string]any {
	values := map[string]any{
		"tls": map[string]any{"mode": string(s.TLS.Mode), "secretName": s.TLS.SecretName, "issuer": s.TLS.Issuer},
	}
	if s.IngressClass != "" {
		values["ingress"] = map[string]any{"className": s.IngressClass}
	}
	if s.StorageClass != "" {
		values["storage"] = map[string]any{"className": s.StorageClass}
	}
	if s.PullSecret != "" {
		values["imagePullSecrets"] = []any{map[string]any{"name": s.PullSecret}}
	}
	return values
}

// ofMail is nothing where there is no server, and for a chart that sends no mail.
func ofMail(s SMTP, defaults map[string]any) map[string]any {
	if _, sends := defaults["smtp"]; !sends || s.SecretName == "" {
		return nil
	}
	values := map[string]any{"existingSecret": s.SecretName}
	if s.Port != 0 {
		values["port"] = s.Port
	}
	if s.CIDR != "" {
		values["cidr"] = s.CIDR
	}
	return map[string]any{"smtp": values}
}

// ofOwner is nothing for a chart that does not write to the owner.
func ofOwner(email string, defaults map[string]any) map[string]any {
	shop, _ := defaults["shop"].(map[string]any)
	if _, writes := shop["email"]; !writes {
		return nil
	}
	return OwnerValues(email)
}

// ofRestore is nothing for a chart whose setup can't wait.
func ofRestore(restoring bool, defaults map[string]any) map[string]any {
	setup, _ := defaults["setup"].(map[string]any)
	if _, waits := setup["suspend"]; !waits || !restoring {
		return nil
	}
	return map[string]any{"setup": map[string]any{"suspend": true}}
}

// ofDrill closes a store, whatever the operator's values say. A chart without such a section has nothing to close.
func ofDrill(drill bool, defaults map[string]any) map[string]any {
	values := map[string]any{}
	for section, closed := range map[string]map[string]any{
		"ingress": {"enabled": false}, "egress": {"internet": false}, "smtp": {"existingSecret": ""},
		"tls": {"mode": string(TLSNone), "secretName": "", "issuer": ""},
	} {
		if _, has := defaults[section]; has && drill {
			values[section] = closed
		}
	}
	return values
}

// OwnerValues are what a change of the owner's address changes in a release of a chart that writes
// to the owner; nothing where there is no address.
func OwnerValues(email string) map[string]any {
	if email == "" {
		return nil
	}
	return map[string]any{"shop": map[string]any{"email": email}}
}

// sendsMail reports whether the values of a release name a mail server.
func sendsMail(values map[string]any) bool {
	smtp, _ := values["smtp"].(map[string]any)
	secret, _ := smtp["existingSecret"].(string)
	return secret != ""
}

// fromRegistry has every image that the chart names come from there.
func fromRegistry(registry string, defaults map[string]any) map[string]any {
	images, _ := defaults["images"].(map[string]any)
	if registry == "" || images == nil {
		return nil
	}
	moved := map[string]any{}
	for name := range images {
		moved[name] = map[string]any{"registry": registry}
	}
	return map[string]any{"images": moved}
}

func chartValues(chart fs.FS, file string) (values map[string]any, err error) {
	data, err := fs.ReadFile(chart, file)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", file, err)
	}
	if err := yaml.Unmarshal(data, &values); err != nil {
		return nil, fmt.Errorf("parse %s: %w", file, err)
	}
	return values, nil
}

// merge lays the values of over onto base, map by map.
func merge(base, over map[string]any) map[string]any {
	merged := map[string]any{}
	for key, value := range base {
		merged[key] = value
	}
	for key, value := range over {
		from, isMap := merged[key].(map[string]any)
		onto, alsoMap := value.(map[string]any)
		if isMap && alsoMap {
			value = merge(from, onto)
		}
		merged[key] = value
	}
	return merged
}
