package recompute

var GCMTag = gcmTag
