# results.png from rates.dat and trips.dat; called with directory set.
set terminal pngcairo size 1400,620 font "sans,10"
set output directory."/results.png"
set multiplot layout 1,2
set style fill solid 0.6 noborder
set boxwidth 0.6
set grid y
set xtics rotate by -35 left noenhanced
set key top right
set xrange [-0.6:*]

set title "Throughput: median, range, and the machine's limit"
set ylabel "million frames per second"
set logscale y
set yrange [0.1:*]
plot directory."/rates.dat" using 0:2:xtic(6) with boxes lc rgb "#4477aa" title "measured", \
     "" using 0:2:3:4 with yerrorbars pt 7 ps 0 lc rgb "#222222" notitle, \
     "" using 0:($5 > 0 ? $5 : 1/0) with points pt 9 ps 1.5 lc rgb "#cc3311" title "limit"

set yrange [1:*]
set title "Round trip of one frame"
set ylabel "microseconds"
plot directory."/trips.dat" using 0:2:xtic(5) with boxes lc rgb "#4477aa" title "median", \
     "" using 0:3 with points pt 7 lc rgb "#222222" title "99 %", \
     "" using 0:($4 > 0 ? $4 : 1/0) with points pt 9 ps 1.5 lc rgb "#cc3311" title "futexes alone"
unset multiplot
