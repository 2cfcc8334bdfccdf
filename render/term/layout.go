package term

// layout has the columns of the screen, from 0.
type layout struct {
	width   int
	value   int  // hex and words
	remark  int  // beside a short value
	tip     int  // of a client's arrow
	section int  // the reference of a line
	hex     int  // bytes of hex on a line
	field   int  // of a dump: names, deeper by depth
	dumped  int  // bytes of a dump on a line
	narrow  bool // a label that reaches the value has a line of its own
}

// The columns that are the same in all widths.
const (
	width   = 100 // the widest screen
	numbers = 4   // ends the ladder's numbers, begins its arrows
	label   = 6   // names
	deeper  = 8   // names of what belongs to the fact before
	counted = 19  // ends the number of bytes of a part
	value   = 27  // hex and words, where there is room
)

// The narrowest screen, and the narrowest with labels beside the values.
const (
	narrowest = 60
	beside    = 80
)

// layoutFor returns the layout for a terminal of so many columns; 0 stands for the widest.
func layoutFor(columns int) layout {
	w := width
	if columns > 0 {
		w = min(max(columns, narrowest), width)
	}
	l := layout{width: w, value: value, remark: value + 34, tip: w - 13, section: w - 10, hex: 32,
		field: 44, dumped: 16}
	switch {
	case w < beside:
		l.value, l.remark, l.hex, l.narrow = 10, width, 16, true
		l.field, l.dumped = 28, 8
	case w < width:
		l.hex = 16
		l.field, l.dumped = 28, 8
	}
	return l
}
