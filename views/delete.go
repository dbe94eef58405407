package views

const deleteDialogID = "delete-dialog"
