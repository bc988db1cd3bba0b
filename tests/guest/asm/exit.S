// The smallest program: exit_group(42), no C library, no stack.
    .text
    .global _start
_start:
    mov     x0, #42
    mov     x8, #94
    svc     #0
