package v1

// Prefix is where the API is.
const Prefix = "/api/v1"
