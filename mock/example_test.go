package mock_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"agstest/mock"
)

// A mock is an http.Handler; Environment gives the file that fits it.
func Example() {
	service := mock.New(mock.Config{})
	server := httptest.NewServer(service)
	defer server.Close()
	file := service.Environment(server.URL, "", "")
	fmt.Println(len(file) > 0)

	response, err := http.Get(server.URL + "/ags/servicediscovery")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer response.Body.Close()
	fmt.Println(response.StatusCode, response.Header.Get(mock.MarkHeader))

	if err := service.Use([]string{"pretty"}, []string{"discovery-finds-nothing"}); err != nil {
		fmt.Println(err)
		return
	}
	response, err = http.Get(server.URL + "/ags/servicediscovery")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer response.Body.Close()
	fmt.Println(response.StatusCode)
	// Output:
	// true
	// 200 1
	// 404
}
