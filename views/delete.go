package views

const deleteDialogID = "delete-dialog"

// quiet drops the buttons of changes, for pages that are about a single change themselves.
func quiet(h StoreHead) StoreHead {
	h.CanDelete, h.CanRetry, h.Cancel = false, false, ""
	return h
}
