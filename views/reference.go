package views

// ReferencePage is the API reference, made from the OpenAPI document.
type ReferencePage struct {
	Shell  Shell
	Base   string // URL of the API
	Groups []OperationGroup
}

// OperationGroup is a group of related operations.
type OperationGroup struct {
	Name       string
	Text       string
	Operations []Operation
}

// Operation is a request that a program can send.
type Operation struct {
	ID         string
	Method     string
	Path       string
	Summary    string
	Text       string
	Scopes     []string
	Parameters []Parameter
	Body       []Parameter
	Request    string // an example, for a shell
	Status     int
	Answer     []Parameter // top fields of the answer
	Example    string      // of the answer
}

// Parameter is a parameter or field of a request, or a field of a response.
type Parameter struct {
	Name     string
	In       string // path, query or header; empty for a field
	Kind     string // such as string, or one of its values
	Required bool
	Text     string
}
