package main

import (
	"fmt"
	"reflect"
	"strings"
)

// setting is one field of the configuration.
type setting struct {
	env    string
	value  string
	secret bool
}

// settings lists the fields of the configuration in their order.
func settings(c config) []setting {
	value, kind := reflect.ValueOf(c), reflect.TypeFor[config]()
	all := make([]setting, 0, kind.NumField())
	for i := range kind.NumField() {
		_, secret := kind.Field(i).Tag.Lookup("secret")
		all = append(all, setting{
			env:    kind.Field(i).Tag.Get("env"),
			value:  settingText(value.Field(i).Interface()),
			secret: secret,
		})
	}
	return all
}

// settingText returns a value in the form of an environment variable.
func settingText(value any) string {
	if list, ok := value.([]string); ok {
		return strings.Join(list, ",")
	}
	return fmt.Sprint(value)
}
