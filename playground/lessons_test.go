package playground

import "testing"

// Every goal of every lesson is reached by its solution, and by no solution of another goal of the
// same lesson; none is reached by an untouched run of another lesson.
func TestEveryLessonIsReachedByItsSolutionAlone(t *testing.T) {
	lessons := Lessons()
	if len(lessons) != 12 {
		t.Fatalf("%d lessons", len(lessons))
	}
	for _, l := range lessons {
		t.Run(l.ID, func(t *testing.T) {
			var runs []*Result
			for i := range l.Goals {
				s, acts, err := l.Solve(i)
				if err != nil {
					t.Fatalf("%s: %v", l.Goals[i].ID, err)
				}
				runs = append(runs, run(t, s, acts...))
			}
			for i, g := range l.Goals {
				for j, r := range runs {
					if got := g.Reached(r); got != (i == j) {
						t.Errorf(
							"goal %q and the solution of %q: %v. %s %+v",
							g.ID,
							l.Goals[j].ID,
							got,
							r.Verdict.Sentence,
							r.Verdict,
						)
					}
				}
			}
		})
	}
}
