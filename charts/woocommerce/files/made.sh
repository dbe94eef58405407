# Read by the image's first start once the database and its user are made.
touch /var/lib/mysql/.shopwright-made
