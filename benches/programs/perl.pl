# An interpreter's usual work: hashes, regular expressions, string building, sorting, subroutine calls.
use strict;
use warnings;

sub fib { my $n = shift; return $n < 2 ? $n : fib($n - 1) + fib($n - 2) }

my %count;
my $text = join ' ', map { my $n = $_ * 7919 % 1000; "word$n," } 1 .. 60000;
$count{$1}++ while $text =~ /\b(word\d+),/g;
my @order = sort { $count{$b} <=> $count{$a} || $a cmp $b } keys %count;
(my $changed = $text) =~ s/(\d)(\d)/$2$1/g;
my $sum = 0;
for my $i (1 .. 1000000) { $sum = ($sum * 31 + $i) % 1000003 }
my @matrix = map { [map { $_ % 13 } 1 .. 60] } 1 .. 60;
my $trace = 0;
for my $i (0 .. 59) { for my $j (0 .. 59) { $trace += $matrix[$i][$_] * $matrix[$_][$j] for 0 .. 19 } }
print join(' ', fib(23), scalar(@order), $order[0], length $changed, $sum, $trace), "\n";
