package views

const deleteDialogID = "delete-dialog"

// quiet drops the buttons that change the store, on pages that are about one of them.
func quiet(h StoreHead) StoreHead {
	h.CanDelete, h.CanRetry, h.Cancel = false, false, ""
	return h
}
