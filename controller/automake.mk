# controller/
