package capture

// links is an element's place in a queue.
type links[T any] struct {
	prev, next T
	in         bool
}

// linked is an element of a queue. It can be in one queue at a time.
type linked[T any] interface {
	comparable
	links() *links[T]
}

// queue is a doubly linked list through its elements, from which any of them can be removed in
// constant time.
type queue[T linked[T]] struct {
	head, tail T
	n          int
}

// first returns the element that was pushed first, or nil.
func (q *queue[T]) first() T { return q.head }

func (q *queue[T]) push(x T) {
	var none T
	l := x.links()
	*l = links[T]{prev: q.tail, in: true}
	if q.tail == none {
		q.head = x
	} else {
		q.tail.links().next = x
	}
	q.tail = x
	q.n++
}

// remove removes x, if it is in the queue.
func (q *queue[T]) remove(x T) {
	var none T
	l := x.links()
	if !l.in {
		return
	}
	if l.prev == none {
		q.head = l.next
	} else {
		l.prev.links().next = l.next
	}
	if l.next == none {
		q.tail = l.prev
	} else {
		l.next.links().prev = l.prev
	}
	*l = links[T]{}
	q.n--
}
