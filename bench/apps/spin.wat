;; A CGI program that computes without end.
(module (memory (export "memory") 1) (func (export "_start") (loop (br 0))))
