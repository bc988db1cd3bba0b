// The kernel guards the code of a static program whose note says that it has landing pads: the first call lands, the
// jump to a pad for calls does not (SIGILL).
    .arch   armv8.5-a
    .text
    .global _start
_start:
    adr     x9, lands
    blr     x9
    mov     x16, x9
    adr     x30, back
    br      x16
back:
    adr     x9, lands
    adr     x30, exit
    br      x9
lands:
    bti     c
    mov     x19, x30
    mov     x0, #1
    adr     x1, text
    mov     x2, #7
    mov     x8, #64
    svc     #0
    adr     x9, lands
    ret     x19
exit:
    mov     x0, #0
    mov     x8, #94
    svc     #0
text:
    .ascii  "landed\n"

    .section .note.gnu.property, "a"
    .align  3
    .word   4, 16, 5
    .asciz  "GNU"
    .word   0xc0000000, 4, 1, 0
