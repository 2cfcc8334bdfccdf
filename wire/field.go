package wire

// Field is a part of a message: either a leaf, or a node whose parts are the fields after it with a
// greater depth. Every byte of the message belongs to exactly one leaf. Every leaf but "unparsed"
// has at least one byte. A node covers exactly its parts.
type Field struct {
	Name   string
	Value  string // what the bytes mean, if that is more than the bytes themselves
	Offset int    // in bytes from the start of the message
	Len    int
	Depth  int // 0 for the message, and one more for each level below it
	Leaf   bool
}

// unclosed is the length of a node whose end has not been reached.
const unclosed = -1
