#!/bin/sh
# Writes public/index.html from the template.
set -eu
mkdir -p public
sed "s/@WHO@/$LOCALD_PROJECT/; s/@WHEN@/$(date)/" page.html >public/index.html
echo "wrote public/index.html"
