package views

const deleteDialogID = "delete-dialog"

// undeletable drops the button that leads to where one already is.
func undeletable(h StoreHead) StoreHead {
	h.CanDelete = false
	return h
}
