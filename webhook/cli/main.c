/* The program: everything is in the libraries, so that tests link the same archives. */
int main(void)
{
    return 0;
}
